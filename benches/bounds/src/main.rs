//! Measures the bounds of section 4.3 and appendix A of arXiv 2406.12056 where the mutual information is known; writes
//! bounds.csv and figures, and prints the tables of the book's chapter.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use molarena_benches_bounds::{Settings, figures, from_csv, run, tables, to_csv};
use molarena_report::plot::render;

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// Folder to write to, such as docs/src/bounds
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Fewer informations, samples and steps: seconds instead of minutes
    #[arg(long)]
    quick: bool,
    /// Decides everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let settings =
        if arguments.quick { Settings::quick(arguments.seed) } else { Settings::whole(arguments.seed) };
    let csv = to_csv(&run(&settings, |what| eprintln!("{what}")))?;
    fs_err::create_dir_all(&arguments.output)?;
    fs_err::write(arguments.output.join("bounds.csv"), &csv)?;
    // Figures and tables say what the file says, to the digit.
    let rows = from_csv(&csv)?;
    for (name, figure) in figures(&rows) {
        fs_err::write(arguments.output.join(format!("{name}.svg")), render(&figure)?)?;
    }
    for (name, table) in tables(&rows) {
        println!("<!-- {name} -->\n{table}");
    }
    Ok(())
}
