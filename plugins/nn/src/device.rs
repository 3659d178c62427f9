//! Names of devices.

use burn::tensor::Device;
use molarena_sdk::{Error, Result};

/// Devices of other builds: how their names begin, and the feature of the build that has them.
const ELSEWHERE: [(&str, &str); 3] =
    [("libtorch-cuda:", "libtorch"), ("libtorch", "libtorch"), ("cuda:", "cuda")];

/// The device that `name` names: `cpu` (Burn's flex). An error says which there are and which build has others.
pub fn device(name: &str) -> Result<Device> {
    if name == "cpu" {
        return Ok(Device::flex());
    }
    Err(Error::unsupported(match ELSEWHERE.iter().find(|(begins, _)| name.starts_with(begins)) {
        Some((_, feature)) => format!(
            "device `{name}` is not in this build, which has: [cpu]; a build of the plugin with the feature `{feature}` has it"
        ),
        None => format!("device `{name}` is unknown; this build has: [cpu]"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_a_device_and_others_say_what_they_need() {
        assert!(!device("cpu").unwrap().is_autodiff());
        for (name, feature) in [("cuda:0", "cuda"), ("libtorch", "libtorch"), ("libtorch-cuda:1", "libtorch")]
        {
            let error = device(name).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(&format!("the feature `{feature}`")), "{error}");
        }
        let error = device("gpu").unwrap_err();
        assert_eq!(error.to_string(), "device `gpu` is unknown; this build has: [cpu]");
    }
}
