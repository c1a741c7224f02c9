//! The crate's error type: where, what was found there, and what was expected.

use std::fmt;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of fault it is. The kind decides the stable [`Error::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are not what they claim to be: truncated, corrupt, or of another format.
    Malformed,
    /// A parameter or a combination of parameters makes no sense.
    Argument,
    /// The input is valid but larger than the stated limit.
    Limit,
    /// The input is valid but of a form that this program does not handle.
    Unsupported,
    /// The compute device failed, was lost, or gave an untrustworthy result.
    Device,
    /// A file could not be read or written.
    Io,
    /// The caller asked to stop.
    Cancelled,
}

/// An error as one sentence: `place: found ..., expected ...`.
///
/// `place` names the file, field or argument; the command puts the file's path before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind of fault.
    pub kind: ErrorKind,
    /// Where: a header field, a file, an argument.
    pub place: String,
    /// What was found there.
    pub found: String,
    /// What was expected instead.
    pub expected: String,
}

impl Error {
    /// An error of `kind` at `place`.
    pub fn new(
        kind: ErrorKind,
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self { kind, place: place.into(), found: found.into(), expected: expected.into() }
    }

    /// Malformed bytes at `place`.
    pub fn malformed(
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::new(ErrorKind::Malformed, place, found, expected)
    }

    /// A wrong argument.
    pub fn argument(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(ErrorKind::Argument, place, found, expected)
    }

    /// Something larger than a stated limit.
    pub fn limit(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, place, found, expected)
    }

    /// A valid form that is not handled.
    pub fn unsupported(
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::new(ErrorKind::Unsupported, place, found, expected)
    }

    /// A fault of the compute device.
    pub fn device(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(ErrorKind::Device, place, found, expected)
    }

    /// The caller asked to stop while `place` ran.
    pub fn cancelled(place: impl Into<String>) -> Self {
        Self::new(ErrorKind::Cancelled, place, "a request to stop", "to run to the end")
    }

    /// A file system fault at `path`.
    pub fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(
            ErrorKind::Io,
            path.display().to_string(),
            error.to_string(),
            "a file that can be read or written",
        )
    }

    /// The same error with `outer` (a file name, a stage) before its place.
    #[must_use]
    pub fn within(mut self, outer: impl fmt::Display) -> Self {
        self.place = format!("{outer}: {}", self.place);
        self
    }

    /// The same error, naming the file at `path` unless it does already.
    #[must_use]
    pub fn of_file(self, path: &std::path::Path) -> Self {
        let name = path.display().to_string();
        if self.place == name { self } else { self.within(name) }
    }

    /// A stable code for programs: `malformed`, `argument`, `limit`, `unsupported`, `device`, `io`, `cancelled`.
    pub fn code(&self) -> &'static str {
        match self.kind {
            ErrorKind::Malformed => "malformed",
            ErrorKind::Argument => "argument",
            ErrorKind::Limit => "limit",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Device => "device",
            ErrorKind::Io => "io",
            ErrorKind::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a file or its name holds must not break the line, or colour a terminal.
        let text = format!("{}: found {}, expected {}", self.place, self.found, self.expected);
        f.write_str(&text.replace(char::is_control, " "))
    }
}

impl std::error::Error for Error {}
