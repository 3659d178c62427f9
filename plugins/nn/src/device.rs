//! Names of devices.

#![cfg_attr(
    feature = "libtorch",
    expect(deprecated, reason = "0.22 is the last version of Burn with LibTorch, and it is pinned")
)]

use burn::tensor::Device;
use molarena_sdk::{Determinism, Error, Result};

/// Names of the devices of this build; N is a number from 0.
pub const DEVICES: &[&str] = &[
    "cpu",
    #[cfg(feature = "libtorch")]
    "libtorch",
    #[cfg(feature = "libtorch")]
    "libtorch-cuda:N",
    #[cfg(feature = "cuda")]
    "cuda:N",
];

/// How far two runs with the same seed agree on every device of this build. On `cpu` every bit is equal with
/// any number of threads; `LibTorch` and CUDA sum in their own order, so a build with them promises less.
pub const DETERMINISM: Determinism = if cfg!(any(feature = "libtorch", feature = "cuda")) {
    Determinism::Tolerance
} else {
    Determinism::Bitwise
};

/// Prefix of each optional device's name, the feature that adds the device, and whether this build has it.
const OPTIONAL: [(&str, &str, bool); 3] = [
    ("libtorch-cuda:", "libtorch", cfg!(feature = "libtorch")),
    ("libtorch", "libtorch", cfg!(feature = "libtorch")),
    ("cuda:", "cuda", cfg!(feature = "cuda")),
];

/// The device called `name`: `cpu` (Burn's flex), and with the features of the same names `libtorch` (`LibTorch`'s
/// processor device), `libtorch-cuda:N` and `cuda:N`. The error for another name lists the devices; it says which
/// feature is missing in this build, or which number does not exist.
pub fn device(name: &str) -> Result<Device> {
    match name.split_once(':') {
        None if name == "cpu" => Ok(Device::flex()),
        #[cfg(feature = "libtorch")]
        None if name == "libtorch" => Ok(libtorch(burn::backend::libtorch::LibTorchDevice::Cpu)),
        #[cfg(feature = "libtorch")]
        Some(("libtorch-cuda", number)) => {
            let hint = "; a LibTorch with CUDA has to be linked, and its libtorch_cuda.so loaded";
            let number = numbered(name, number, cards_of_libtorch(), hint)?;
            Ok(libtorch(burn::backend::libtorch::LibTorchDevice::Cuda(number)))
        }
        #[cfg(feature = "cuda")]
        Some(("cuda", number)) => Ok(Device::cuda(numbered(name, number, cards(), "")?)),
        _ => Err(Error::unsupported(absent(name))),
    }
}

/// The devices of this build that exist on this machine.
pub fn devices_found() -> Vec<String> {
    DEVICES
        .iter()
        .flat_map(|name| match *name {
            #[cfg(feature = "libtorch")]
            "libtorch-cuda:N" => numbers("libtorch-cuda", cards_of_libtorch()),
            #[cfg(feature = "cuda")]
            "cuda:N" => numbers("cuda", cards()),
            name => vec![name.to_owned()],
        })
        .collect()
}

#[cfg(any(feature = "libtorch", feature = "cuda"))]
fn numbers(kind: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{kind}:{number}")).collect()
}

/// Number of CUDA devices visible to `LibTorch`.
#[cfg(feature = "libtorch")]
fn cards_of_libtorch() -> usize {
    let count = if tch::Cuda::is_available() { tch::Cuda::device_count() } else { 0 };
    usize::try_from(count).unwrap_or(0)
}

/// Number of CUDA devices.
#[cfg(feature = "cuda")]
fn cards() -> usize {
    Device::enumerate(burn::tensor::DeviceType::Cuda).len()
}

#[cfg(feature = "libtorch")]
fn libtorch(device: burn::backend::libtorch::LibTorchDevice) -> Device {
    Device::new(device)
}

fn absent(name: &str) -> String {
    let here = DEVICES.join(", ");
    match OPTIONAL.iter().find(|(begins, _, built)| !built && name.starts_with(begins)) {
        Some((_, feature, _)) => format!(
            "device `{name}` is not in this build, which has: [{here}]; a build of the plugin with the feature `{feature}` has it"
        ),
        None => format!("device `{name}` is unknown; this build has: [{here}]"),
    }
}

/// The device number in a name, below `count`; `hint` ends the message if there is no such device.
#[cfg(any(feature = "libtorch", feature = "cuda"))]
fn numbered(name: &str, number: &str, count: usize, hint: &str) -> Result<usize> {
    let Ok(index) = number.parse::<usize>() else {
        return Err(Error::unsupported(format!("device `{name}`: `{number}` is not a number from 0")));
    };
    if index < count {
        return Ok(index);
    }
    Err(Error::unsupported(match count {
        0 => format!("device `{name}` is not there: no CUDA device was found{hint}"),
        1 => format!("device `{name}` is not there: the only CUDA device is number 0"),
        _ => format!("device `{name}` is not there: CUDA devices are numbered 0 to {}", count - 1),
    }))
}

/// Whether the device belongs to `LibTorch`.
#[cfg(feature = "libtorch")]
pub(crate) fn is_libtorch(device: &Device) -> bool {
    matches!(device.clone().inner().as_dispatch(), burn::backend::DispatchDevice::LibTorch(_))
}

/// The devices of this build and machine, for tests that compare them.
#[cfg(test)]
pub(crate) fn all() -> Vec<Device> {
    // On the small tensors of tests, threads would only wait for each other.
    #[cfg(feature = "libtorch")]
    tch::set_num_threads(1);
    devices_found().iter().map(|name| device(name).unwrap()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str) -> String {
        device(name).unwrap_err().to_string()
    }

    #[test]
    fn the_processor_is_a_device_and_others_say_what_they_need() {
        assert!(!device("cpu").unwrap().is_autodiff());
        for (name, feature, built) in [
            ("cuda:0", "cuda", cfg!(feature = "cuda")),
            ("libtorch", "libtorch", cfg!(feature = "libtorch")),
            ("libtorch-cuda:1", "libtorch", cfg!(feature = "libtorch")),
        ] {
            if !built {
                let error = message(name);
                assert!(
                    error.contains(name) && error.contains(&format!("the feature `{feature}`")),
                    "{error}"
                );
            }
        }
        assert_eq!(devices_found()[0], "cpu");
        assert_eq!(
            message("gpu"),
            format!("device `gpu` is unknown; this build has: [{}]", DEVICES.join(", "))
        );
    }

    #[cfg(feature = "libtorch")]
    #[test]
    fn a_number_must_be_one_of_a_device() {
        assert!(is_libtorch(&device("libtorch").unwrap().autodiff()));
        assert!(!is_libtorch(&device("cpu").unwrap()));
        assert_eq!(message("libtorch-cuda:x"), "device `libtorch-cuda:x`: `x` is not a number from 0");
        let error = message("libtorch-cuda:99");
        assert!(error.starts_with("device `libtorch-cuda:99` is not there: "), "{error}");
        assert!(
            message("libtorch-cuda").contains("is unknown; this build has: [cpu, libtorch, libtorch-cuda:N")
        );
        assert!(message("libtorch:0").contains("is unknown"));
    }
}
