//! Devices: their names, their classes, and which a component runs on.

use crate::error::{Error, Result};

/// The device that every machine has.
pub const CPU: &str = "cpu";

/// The class of a device, as in keys: `cuda` for `cuda:0`. Which of several equal cards computes makes no
/// difference.
pub fn class_of(device: &str) -> &str {
    device.split(':').next().unwrap_or(device)
}

/// Checks the name of a device: `cpu`, `libtorch`, `cuda:N` or `libtorch-cuda:N`.
///
/// # Errors
/// [`Error::Request`] for any other name.
pub fn check_name(device: &str) -> Result<()> {
    let known = match device.split_once(':') {
        None => [CPU, "libtorch"].contains(&device),
        Some((class, number)) => ["cuda", "libtorch-cuda"].contains(&class) && number.parse::<u16>().is_ok(),
    };
    if known {
        return Ok(());
    }
    let message = format!("`{device}` is no device; write cpu, libtorch, cuda:0 or libtorch-cuda:0");
    Err(Error::Request(message))
}

/// Whether a component that lists `devices` runs on `device`; `N` in a listed name stands for any number.
pub(crate) fn runs_on(devices: &[String], device: &str) -> bool {
    let class = class_of(device);
    devices
        .iter()
        .any(|listed| listed == device || listed.strip_suffix(":N") == Some(class) && class != device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_classes() {
        for name in ["cpu", "libtorch", "cuda:0", "libtorch-cuda:12"] {
            check_name(name).unwrap();
        }
        for name in ["gpu", "cuda", "cuda:", "cuda:x", "cpu:0", ""] {
            assert!(check_name(name).unwrap_err().to_string().contains("write cpu, libtorch"), "{name}");
        }
        assert_eq!(["cpu", "cuda:1", "libtorch-cuda:0"].map(class_of), ["cpu", "cuda", "libtorch-cuda"]);
        let listed = ["cpu".to_owned(), "cuda:N".to_owned()];
        assert!(runs_on(&listed, "cpu") && runs_on(&listed, "cuda:3"));
        assert!(!runs_on(&listed, "libtorch") && !runs_on(&listed, "libtorch-cuda:0"));
    }
}
