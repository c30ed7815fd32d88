//! What a subcommand tells the script that called it.

/// The exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done; the answer is yes.
    Done,
    /// 1: the answer is no: a run failed, a record is bad, something needs attention.
    No,
    /// 2: the call was wrong, or a confirmation is missing.
    Usage,
    /// 3: the world failed: no credentials, no answer, a full disk.
    World,
    /// 130: ended by Ctrl-C, as shells have it.
    Interrupted,
    /// 128 plus its number: ended by this signal, as shells have it.
    Signal(u8),
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::World => 3,
            Exit::Interrupted => 130,
            Exit::Signal(number) => number.saturating_add(128),
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
