//! What a worker cost.

use std::time::Duration;

use molarena_record::parts::Cost;

use crate::{job::Output, launch::Ending, request::limits::Limits};

/// What a worker cost.
pub(crate) fn cost_of(ending: &Ending, limits: Limits) -> Cost {
    let (encode_s, fit_s, predict_s) = match &ending.result {
        Ok(Output::Timings { encode_s, fit_s, predict_s, .. }) => (*encode_s, *fit_s, *predict_s),
        _ => (0.0, 0.0, 0.0),
    };
    Cost {
        wall_s: seconds(ending.wall),
        encode_s,
        fit_s,
        predict_s,
        peak_rss_mb: (ending.peak_rss as f64 / f64::from(1 << 20) * 10.0).round() / 10.0,
        threads: limits.threads,
    }
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
