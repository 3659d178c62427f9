//! Arguments of `run` about where steps run.

use clap::{Args, ValueEnum};
use molarena_host::{Error, ExecutorTable, SlurmOptions};

/// Where steps run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExecutorChoice {
    /// On this machine.
    Local,
    /// As jobs of Slurm.
    Slurm,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Executor")]
pub(crate) struct ExecutorArgs {
    /// Where steps run: local, on this machine, or slurm, as jobs of Slurm [default: the suite's, or local]
    #[arg(long, value_enum, value_name = "NAME", hide_possible_values = true, conflicts_with = "in_process")]
    pub(crate) executor: Option<ExecutorChoice>,
    /// Slurm partition of all jobs [default: the suite's, or the cluster's]
    #[arg(long, value_name = "NAME")]
    pub(crate) partition: Option<String>,
    /// Slurm partition of jobs whose device is a card [default: the suite's, or that of --partition]
    #[arg(long, value_name = "NAME")]
    pub(crate) gpu_partition: Option<String>,
    /// Option passed on to sbatch, such as --sbatch=--account=chem (again for more)
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub(crate) sbatch: Vec<String>,
    /// Take in the results of Slurm jobs that have ended, say what is still queued, and submit nothing
    #[arg(long, conflicts_with_all = ["in_process", "dry_run", "retry_failed"])]
    pub(crate) collect: bool,
}

impl ExecutorArgs {
    /// How to submit to Slurm, if steps run there: as the suite says, changed by the options; `jobs` at a time at most.
    ///
    /// # Errors
    /// [`Error::Request`] if an option has no meaning on this machine.
    pub(crate) fn slurm(
        &self,
        suite: Option<&ExecutorTable>,
        jobs: Option<usize>,
    ) -> Result<Option<SlurmOptions>, Error> {
        let of_suite = match suite {
            Some(ExecutorTable::Slurm(options)) => Some(options.clone()),
            Some(ExecutorTable::Local {}) | None => None,
        };
        let options = match self.executor {
            Some(ExecutorChoice::Local) => None,
            Some(ExecutorChoice::Slurm) => Some(of_suite.unwrap_or_default()),
            None if self.collect => Some(of_suite.unwrap_or_default()),
            None => of_suite,
        };
        let Some(mut options) = options else {
            let given = [
                ("partition", self.partition.is_some()),
                ("gpu-partition", self.gpu_partition.is_some()),
                ("sbatch", !self.sbatch.is_empty()),
                ("collect", self.collect),
            ];
            return match given.iter().find(|(_, given)| *given) {
                Some((name, _)) => Err(Error::Request(format!("--{name} needs --executor slurm"))),
                None => Ok(None),
            };
        };
        options.partition = self.partition.clone().or(options.partition);
        options.gpu_partition = self.gpu_partition.clone().or(options.gpu_partition);
        options.sbatch.extend(self.sbatch.iter().cloned());
        options.max_jobs = jobs.unwrap_or(options.max_jobs);
        Ok(Some(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> ExecutorArgs {
        ExecutorArgs {
            executor: None,
            partition: None,
            gpu_partition: None,
            sbatch: Vec::new(),
            collect: false,
        }
    }

    fn suite() -> ExecutorTable {
        ExecutorTable::Slurm(SlurmOptions {
            partition: Some("a".into()),
            sbatch: vec!["--qos=x".into()],
            ..SlurmOptions::default()
        })
    }

    #[test]
    fn options_change_what_the_suite_says() {
        let args = ExecutorArgs { partition: Some("b".into()), sbatch: vec!["--qos=y".into()], ..args() };
        let options = args.slurm(Some(&suite()), Some(3)).unwrap().unwrap();
        assert_eq!((options.partition.as_deref(), options.max_jobs), (Some("b"), 3));
        assert_eq!(options.sbatch, ["--qos=x", "--qos=y"], "sbatch takes the last one");
        let local = ExecutorArgs { executor: Some(ExecutorChoice::Local), ..self::args() };
        assert_eq!(local.slurm(Some(&suite()), None).unwrap(), None);
        assert_eq!(self::args().slurm(None, None).unwrap(), None);
    }

    #[test]
    fn options_of_slurm_need_slurm() {
        let given = [
            ExecutorArgs { partition: Some("b".into()), ..args() },
            ExecutorArgs { executor: Some(ExecutorChoice::Local), collect: true, ..args() },
        ];
        let messages =
            given.map(|args| args.slurm(Some(&ExecutorTable::Local {}), None).unwrap_err().to_string());
        assert_eq!(messages, ["--partition needs --executor slurm", "--collect needs --executor slurm"]);
        let collects = ExecutorArgs { collect: true, ..args() };
        assert_eq!(collects.slurm(None, None).unwrap(), Some(SlurmOptions::default()));
    }
}
