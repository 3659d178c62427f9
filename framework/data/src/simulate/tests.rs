use super::*;

#[test]
#[ignore = "writes"]
fn write_out() {
    let folder = std::path::Path::new("/tmp/demo-out");
    let start = std::time::Instant::now();
    let out = simulate(&Parameters::DEMO, folder, true, &mut |_| ()).unwrap();
    eprintln!("{:?} {} files", start.elapsed(), out.files.len());
}
