//! `molarena replay`

use molarena_evaluate::{Labels, Replayed, replay};

use super::{existing, own, print, print_json, warn_of_store};
use crate::{args::ReplayArgs, exit_code::ExitCode};

/// Number of lines shown of a list.
const SHOWN: usize = 10;

pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    // For writing, because its cache keeps which molecules of a dataset are readable.
    let store = existing(&args.store.store)?;
    let catalog = own::catalog_of(&args.data)?;
    let mut labels = Labels::new(&catalog, &args.data.places.data_dir, &store);
    let replayed = replay(&store, &mut labels);
    warn_of_store(&store);
    let replayed = replayed?;
    if args.update {
        store.replace(&replayed.records, &replayed.matches)?;
    }
    conclude(args, &replayed)
}

fn conclude(args: &ReplayArgs, replayed: &Replayed) -> anyhow::Result<ExitCode> {
    let Replayed { same, different, skipped, .. } = replayed;
    if args.json {
        print_json(&serde_json::json!({
            "schema": "molarena.replay/1",
            "same": same,
            "different": different,
            "skipped": skipped,
            "updated": args.update,
        }))?;
    } else {
        for (what, records) in [("differs", different), ("skipped", skipped)] {
            for (key, why) in records.iter().take(SHOWN) {
                print(&format!("{what} {key}: {why}\n"))?;
            }
            if records.len() > SHOWN {
                print(&format!("{what}: and {} more\n", records.len() - SHOWN))?;
            }
        }
        let (different, skipped) = (different.len(), skipped.len());
        print(&format!("{same} records come out the same, {different} differ, {skipped} skipped\n"))?;
    }
    let sound = skipped.is_empty() && (different.is_empty() || args.update);
    Ok(if sound { ExitCode::Ok } else { ExitCode::SomeCellsFailed })
}
