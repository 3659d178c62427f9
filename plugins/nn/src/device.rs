//! Names of devices.

use burn::tensor::Device;
use molarena_sdk::{Error, Result};

/// The device that `name` names: `cpu`. An error says which there are and which build has others.
pub fn device(name: &str) -> Result<Device> {
    match name {
        "cpu" => Ok(Device::flex()),
        "cuda" => Err(Error::unsupported(
            "device `cuda` is not in this build, which has: [cpu]; it needs a build of the plugin with a GPU backend of \
             Burn (feature `cuda`)",
        )),
        other => Err(Error::unsupported(format!("device `{other}` is unknown; this build has: [cpu]"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_a_device_and_others_say_what_they_need() {
        assert!(!device("cpu").unwrap().is_autodiff());
        assert!(device("cuda").unwrap_err().to_string().contains("feature `cuda`"));
        let error = device("gpu").unwrap_err();
        assert_eq!(error.to_string(), "device `gpu` is unknown; this build has: [cpu]");
    }
}
