//! Events of a run in progress: one type for people, files and tests.

use molarena_record::{cell::Record, matching::MatchRecord, step::StepRecord};
use serde_json::{Value, json};

use crate::{job::Progress, plan::step::Step};

/// Receives the events of a run, from several threads.
pub trait Observer: Sync {
    /// Handles one event.
    fn event(&self, event: &Event<'_>);
}

/// An event of a run.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The plan is valid.
    Planned {
        /// Number of cells in the plan.
        cells: usize,
        /// Number of cells finished before.
        finished: usize,
    },
    /// A step starts.
    Started(&'a Step),
    /// The worker of a step reports.
    Progress(&'a Step, &'a Progress),
    /// A step is stored.
    Finished(&'a Step, &'a StepRecord),
    /// A cell is stored.
    Scored(&'a Record),
    /// A matching cell is stored.
    Matched(&'a MatchRecord),
    /// Number of rows of a stream done so far.
    Rows(u64),
    /// Number of jobs that wait in the queue of a cluster, with the reasons that it gives, and of those that run.
    Queue {
        /// Waiting jobs.
        pending: usize,
        /// Running jobs.
        running: usize,
        /// Why jobs wait.
        why: &'a str,
    },
    /// Something that people should know while they wait.
    Notice(&'a str),
}

impl Event<'_> {
    /// The event as one JSON object, for `--events`.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Planned { cells, finished } => {
                json!({"event": "planned", "cells": cells, "finished": finished})
            }
            Self::Started(step) => of_step("started", step),
            Self::Progress(step, progress) => {
                let mut event = of_step("progress", step);
                event["fraction"] = progress.fraction.into();
                event["message"] = progress.message.as_str().into();
                event
            }
            Self::Finished(step, record) => {
                let mut event = of_step("finished", step);
                event["failure"] = json!(record.failure());
                event["cost"] = json!(record.cost);
                event
            }
            Self::Scored(record) => json!({"event": "scored", "record": record}),
            Self::Matched(record) => json!({"event": "matched", "record": record}),
            Self::Rows(rows) => json!({"event": "rows", "rows": rows}),
            Self::Queue { pending, running, why } => {
                json!({"event": "queue", "pending": pending, "running": running, "why": why})
            }
            Self::Notice(message) => json!({"event": "notice", "message": message}),
        }
    }
}

fn of_step(event: &str, step: &Step) -> Value {
    json!({
        "event": event,
        "key": step.key,
        "kind": step.kind(),
        "subject": step.subject,
        "method": step.method,
        "seed": step.seed,
    })
}
