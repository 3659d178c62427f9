//! What a worker tells its host about its confinement, before it opens the plugin.
//!
//! The worker's standard input is one end of a pair of sockets. The worker sends one message, and the
//! listener for refused system calls with it, and then replaces its standard input by `/dev/null`. Nothing
//! that a plugin does later changes what the host has received.

use serde::{Deserialize, Serialize};

/// How a process is confined.
#[derive(Debug, Default)]
pub struct Confinement {
    /// Whether it cannot open other files than those that it was granted.
    pub confined: bool,
    /// Layers that this kernel lacks, each in a few words.
    pub missing: Vec<String>,
    /// Reports the system calls that are refused.
    pub listener: Option<std::os::fd::OwnedFd>,
}

/// The message.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Report {
    /// As in [`Confinement`].
    pub(crate) confined: bool,
    /// As in [`Confinement`].
    pub(crate) missing: Vec<String>,
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{receive, send};

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        io::{IoSlice, IoSliceMut},
        os::{
            fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
            unix::net::UnixStream,
        },
    };

    use nix::sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, sendmsg, setsockopt, sockopt,
    };

    use super::{Confinement, Report};

    /// Most bytes of a message.
    const LONGEST: usize = 4096;

    /// Sends the report on standard input, if that is a socket, and replaces it by `/dev/null`.
    pub(crate) fn send(confinement: Confinement) -> Result<(), String> {
        let Confinement { confined, missing, listener } = confinement;
        let text = serde_json::to_vec(&Report { confined, missing }).map_err(|error| error.to_string())?;
        let listeners: Vec<RawFd> = listener.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&listeners)];
        let rights = if listeners.is_empty() { &[][..] } else { &rights[..] };
        let sent = sendmsg::<UnixAddr>(0, &[IoSlice::new(&text)], rights, MsgFlags::empty(), None);
        let null = fs_err::File::open("/dev/null").map_err(|error| error.to_string())?;
        nix::unistd::dup2_stdin(&null).map_err(|error| format!("standard input: {error}"))?;
        match sent {
            // Somebody started this worker by hand.
            Ok(_) | Err(nix::errno::Errno::ENOTSOCK) => Ok(()),
            Err(error) => Err(format!("report to the host: {error}")),
        }
    }

    /// Waits for the report: what it says, the worker's process id here, and the listener. `None` if the
    /// worker ended without one.
    #[expect(unsafe_code, reason = "takes what the kernel has just opened")]
    pub(crate) fn receive(host: &UnixStream) -> Option<(Report, Option<i32>, Option<OwnedFd>)> {
        // Without it the report has no process id.
        let _unnamed = setsockopt(host, sockopt::PassCred, &true);
        let mut text = vec![0; LONGEST];
        let mut control = nix::cmsg_space!([RawFd; 1], nix::sys::socket::UnixCredentials);
        let mut buffers = [IoSliceMut::new(&mut text)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<UnixAddr>(host.as_raw_fd(), &mut buffers, Some(&mut control), flags).ok()?;
        let count = message.bytes;
        let (mut process, mut listener) = (None, None);
        for part in message.cmsgs().ok()? {
            match part {
                ControlMessageOwned::ScmRights(open) => {
                    // SAFETY: the kernel made these descriptors for this call, and nothing else knows them.
                    let owned = |number| unsafe { OwnedFd::from_raw_fd(number) };
                    listener = open.into_iter().map(owned).next();
                }
                ControlMessageOwned::ScmCredentials(sender) => process = Some(sender.pid()),
                _ => {}
            }
        }
        let report = serde_json::from_slice(text.get(..count)?).ok()?;
        Some((report, process, listener))
    }
}
