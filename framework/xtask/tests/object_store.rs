//! A store in a local S3 server, which a Python package brings.

use std::process::Command;

use xtask::root;

fn succeed(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}");
}

#[test]
#[ignore = "builds the program with object stores, which takes minutes; needs pip and an index"]
fn slow_a_store_goes_to_an_s3_server_and_comes_back() {
    // A target folder of its own: a test of the program without object stores may run at the same time.
    let target = root().join("target/object-store");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.current_dir(root()).args(["build", "--locked", "-p", "molarena", "--features", "object-store"]);
    succeed(build.arg("--target-dir").arg(&target));
    let venv = target.join("venv");
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    succeed(Command::new(venv.join("bin/pip")).args(["install", "-q", "moto[server]"]));
    let name = fs_err::read_to_string(root().join("leaderboards/boards/quick.store")).unwrap();
    let mut test = Command::new(venv.join("bin/python"));
    test.arg(root().join("tests/object-store/s3.py")).arg(target.join("debug/molarena"));
    succeed(test.arg(root().join("leaderboards/stores").join(name.trim())));
}
