//! The wheel in a Python without cargo.

use std::{path::PathBuf, process::Command};

use xtask::{root, wheel};

#[test]
#[ignore = "builds a release, which takes minutes; needs maturin"]
fn slow_the_wheel_works_in_six_layouts() {
    let maturin =
        std::env::var_os("MOLARENA_MATURIN").map_or_else(|| PathBuf::from("maturin"), PathBuf::from);
    let wheel = wheel::run(&maturin).unwrap();
    let mut layouts = Command::new("python3");
    let status = layouts.arg(root().join("tests/wheel/layouts.py")).arg(wheel).status().unwrap();
    assert!(status.success());
}
