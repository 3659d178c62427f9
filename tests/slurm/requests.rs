//! What cannot work is an error that says what to do, before anything is submitted where that can be known.

use std::process::Command;

use fs_err as fs;
use molarena_tests::{Output, TestArena};

use crate::{
    EXECUTOR, arena, arguments, cells,
    cluster::{Cluster, Shape},
    jobs, read, run, suite,
};

fn quick(executor: &str) -> TestArena {
    let arena = arena();
    arena.method("quick", "fixture-hostile/good", "{}");
    suite(&arena, executor, &cells("quick", 1));
    arena
}

fn refused(output: &Output, code: i32, parts: &[&str]) {
    assert_eq!(output.code, Some(code), "{}", output.stderr);
    assert!(parts.iter().all(|part| output.stderr.contains(part)), "{parts:?}: {}", output.stderr);
}

#[test]
fn without_slurm_the_error_says_so() {
    let arena = quick("");
    let all = arguments(&arena, &["--executor", "slurm"]);
    let mut command = arena.command(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let output = read(&command.env("PATH", arena.path("empty")).output().unwrap());
    refused(
        &output,
        2,
        &["error [E-HOST-009]: Slurm: `scontrol` is not in PATH", "choose the executor `local`"],
    );
    let other = arena.run(&crate::plugins(), &["suite.toml", "--partition", "main"]);
    refused(&other, 2, &["--partition needs --executor slurm"]);
    suite(&arena, "[executor]\nkind = \"slurm\"\nqueue = \"x\"\n", &cells("quick", 1));
    refused(&arena.run(&crate::plugins(), &["suite.toml"]), 2, &["suite.toml", "queue"]);
}

#[test]
fn what_slurm_refuses_is_named() {
    let Some(cluster) = Cluster::start(Shape::default()) else { return };
    let arena = quick(EXECUTOR);
    let output = run(&cluster, &arena, &["--partition", "nope"]);
    refused(&output, 2, &["executor.partition: Slurm has no partition `nope` here; it has: cards, main"]);
    let output = run(&cluster, &arena, &["--memory-limit", "100GiB"]);
    refused(&output, 2, &["sbatch refuses 1 step: ", "Requested node configuration is not available"]);
    assert_eq!((cluster.count("PENDING") + cluster.count("RUNNING"), jobs(&arena)), (0, Vec::new()));
    let arena = quick(&format!("{EXECUTOR}program = \"/nowhere/molarena\"\n"));
    let output = run(&cluster, &arena, &[]);
    refused(&output, 70, &["could not start: its last words are: ", "/nowhere/molarena", "executor.program"]);
    assert_eq!(arena.stored("records").len(), 0);
}

/// Starts a program in which no file can get a second name, nor a new one without replacing another.
const NO_LINKS: &str = r"
#include <errno.h>
#include <stddef.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#define REFUSE(call, error) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error)
int main(int count, char **arguments) {
    (void)count;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_link
        REFUSE(SYS_link, EPERM),
#endif
        REFUSE(SYS_linkat, EPERM),
        REFUSE(SYS_renameat2, EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 99;
    execv(arguments[1], arguments + 1);
    return 98;
}
";

#[test]
fn a_file_system_without_hard_links_is_refused_before_anything_runs() {
    let arena = quick("");
    let (source, program) = (arena.write("no-links.c", NO_LINKS), arena.path("no-links"));
    let built = Command::new("cc").arg("-o").arg(&program).arg(source).status().expect("a C compiler");
    assert!(built.success());
    let output = Command::new(program)
        .arg(molarena_tests::binary())
        .args(arguments(&arena, &[]))
        .current_dir(arena.path(""))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    let output = read(&output);
    refused(
        &output,
        70,
        &["error [E-HOST-013]", "/store/", "may not know hard links", "put the store on one that does"],
    );
    assert!(
        arena.stored("records").is_empty() && fs::read_dir(arena.path("store/steps")).unwrap().count() == 0
    );
}
