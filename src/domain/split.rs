//! Cuts bytes into records: one record pretty or compact, NDJSON, a JSON array of records, or any mix,
//! a chunk at a time and in bounded memory.
//!
//! A broken record costs itself and not its neighbours: cutting starts afresh at the next line that is
//! a whole record of its own, and a text never runs over a line's end.

use serde::de::IgnoredAny;

use super::record::LIMIT;

/// One stretch of the input that should be a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The line it starts at, from 1.
    pub line: usize,
    /// The byte of that line it starts at, from 1; a byte order mark does not count.
    pub column: usize,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The bytes to read as a record; they may not be JSON at all.
    Bytes(Vec<u8>),
    /// Longer than [`LIMIT`]: its length in bytes, as far as it could be followed. The bytes are gone.
    Long(usize),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Between records.
    #[default]
    Between,
    /// In an object.
    Object,
    /// In something else, up to the line's end (in an array: or the next comma).
    Junk,
}

/// Fed with chunks of any size, yields pieces in order.
#[derive(Debug)]
pub struct Splitter {
    state: State,
    /// Inside a top-level array.
    array: bool,
    line: usize,
    /// Of the byte that comes next.
    column: usize,
    /// Line and column of the current piece.
    start: (usize, usize),
    buf: Vec<u8>,
    /// Bytes of the current piece; more than `buf` holds once it is too long.
    len: usize,
    /// Where the last line starts in `buf`; 0 while the piece has only one.
    line_start: usize,
    depth: usize,
    text: bool,
    escaped: bool,
}

impl Default for Splitter {
    fn default() -> Self {
        Splitter {
            state: State::Between,
            array: false,
            line: 1,
            column: 1,
            start: (1, 1),
            buf: Vec::new(),
            len: 0,
            line_start: 0,
            depth: 0,
            text: false,
            escaped: false,
        }
    }
}

/// Cuts a whole text at once.
pub fn split(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut splitter = Splitter::default();
    splitter.push(bytes, &mut pieces);
    splitter.finish(&mut pieces);
    pieces
}

impl Splitter {
    /// Takes the next chunk; appends the pieces that end in it.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<Piece>) {
        for &byte in chunk {
            match self.state {
                State::Between => self.between(byte),
                State::Object => self.object(byte, out),
                State::Junk => self.junk(byte, out),
            }
            self.column += 1;
            if byte == b'\n' {
                self.line += 1;
                self.column = 1;
            }
        }
    }

    /// Ends the input: what is open is a piece, broken or not.
    pub fn finish(mut self, out: &mut Vec<Piece>) {
        if self.state != State::Between {
            self.emit(out);
        }
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return,
            // The bytes of a byte order mark, where only it can be meant.
            0xef | 0xbb | 0xbf if self.line == 1 => {
                self.column -= 1;
                return;
            }
            b'[' if !self.array => {
                self.array = true;
                return;
            }
            b']' if self.array => {
                self.array = false;
                return;
            }
            b',' if self.array => return,
            b'{' => {
                self.state = State::Object;
                self.depth = 1;
            }
            _ => self.state = State::Junk,
        }
        self.start = (self.line, self.column);
        self.line_start = 0;
        self.keep(byte);
    }

    fn object(&mut self, byte: u8, out: &mut Vec<Piece>) {
        if byte == b'\n' {
            let long_line = self.buf.len() < self.len && self.line_start == 0;
            if self.text || long_line {
                // A text does not run over a line's end; nor is it known where an endless line went wrong.
                return self.emit(out);
            }
            if self.line_start > 0 && self.resume(out) {
                return;
            }
            self.keep(byte);
            self.line_start = self.buf.len();
            return;
        }
        self.keep(byte);
        if self.text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.text = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    self.emit(out);
                }
            }
            _ => {}
        }
    }

    /// Whether the line that just ended is a whole record, so that what came before it is a broken one.
    fn resume(&mut self, out: &mut Vec<Piece>) -> bool {
        let line = self.buf.get(self.line_start..).unwrap_or_default();
        if !line.starts_with(b"{\"") || !line.windows(13).any(|w| w == b"\"facility_id\"") {
            return false;
        }
        let line = line.trim_ascii_end();
        let line = line.strip_suffix(b",").unwrap_or(line);
        if serde_json::from_slice::<IgnoredAny>(line).is_err() {
            return false;
        }
        let whole = Piece { line: self.line, column: 1, body: Body::Bytes(line.to_vec()) };
        self.buf.truncate(self.line_start);
        self.len = self.buf.len();
        self.emit(out);
        out.push(whole);
        true
    }

    fn junk(&mut self, byte: u8, out: &mut Vec<Piece>) {
        match byte {
            b'\n' => self.emit(out),
            b',' if self.array => self.emit(out),
            b']' if self.array => {
                self.emit(out);
                self.array = false;
            }
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) {
        self.len += 1;
        if self.buf.len() <= LIMIT {
            self.buf.push(byte);
        }
    }

    fn emit(&mut self, out: &mut Vec<Piece>) {
        let mut buf = std::mem::take(&mut self.buf);
        let body = if self.len > LIMIT {
            Body::Long(self.len)
        } else {
            buf.truncate(buf.trim_ascii_end().len());
            Body::Bytes(buf)
        };
        let (line, column) = self.start;
        out.push(Piece { line, column, body });
        self.state = State::Between;
        self.len = 0;
        self.line_start = 0;
        self.depth = 0;
        self.text = false;
        self.escaped = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(bytes: &[u8]) -> Vec<(usize, String)> {
        let text = |body| match body {
            Body::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            Body::Long(len) => format!("long {len}"),
        };
        split(bytes).into_iter().map(|piece| (piece.line, text(piece.body))).collect()
    }

    fn pair(line: usize, text: &str) -> (usize, String) {
        (line, text.to_owned())
    }

    #[test]
    fn every_layout_of_records_is_cut_alike() {
        let (a, b) = (r#"{"facility_id":"A","x":"}]\"{"}"#, r#"{"facility_id":"B"}"#);
        let expected = [pair(1, a), pair(2, b)];
        assert_eq!(texts(format!("{a}\n{b}\n").as_bytes()), expected);
        assert_eq!(texts(format!("\u{feff}{a}\r\n{b}").as_bytes()), expected);
        assert_eq!(texts(format!("[{a},\n{b}]").as_bytes()), expected);
        assert_eq!(texts(format!("[{a},{b}]").as_bytes()), [pair(1, a), pair(1, b)]);
        assert_eq!(texts(format!("\n\n{a}{b}").as_bytes()), [pair(3, a), pair(3, b)]);
        let pretty = "{\n  \"facility_id\": \"A\",\n  \"labs\": [\n    {}\n  ]\n}";
        assert_eq!(texts(format!("{pretty}\n{b}\n").as_bytes()), [pair(1, pretty), pair(7, b)]);
        assert_eq!(texts(b" \n"), []);
    }

    #[test]
    fn a_piece_knows_the_byte_of_its_line_it_starts_at() {
        let columns = |text: &str| -> Vec<(usize, usize)> {
            split(text.as_bytes()).into_iter().map(|piece| (piece.line, piece.column)).collect()
        };
        assert_eq!(columns("{} trailing\n  {}{}\n"), [(1, 1), (1, 4), (2, 3), (2, 5)]);
        assert_eq!(columns("\u{feff}[{}, {}]"), [(1, 2), (1, 6)]);
        let broken = "  {\"facility_id\":\n{\"facility_id\":\"B\"}\n x";
        assert_eq!(columns(broken), [(1, 3), (2, 1), (3, 2)]);
    }

    #[test]
    fn a_broken_record_does_not_take_its_neighbours_along() {
        let good = r#"{"facility_id":"B"}"#;
        for broken in [r#"{"facility_id":"A","services":["ICU""#, r#"{"facility_id":"A"#, "nonsense", "{"] {
            let bytes = format!("{broken}\n{good}\n{good}\n");
            let pieces = texts(bytes.as_bytes());
            assert_eq!(pieces[0], pair(1, broken));
            assert!(pieces.contains(&pair(3, good)), "{pieces:?}");
        }
        assert_eq!(texts(b"[1, {}, tru]"), [pair(1, "1"), pair(1, "{}"), pair(1, "tru")]);
        assert_eq!(texts(b"{}}\n"), [pair(1, "{}"), pair(1, "}")]);
    }

    #[test]
    fn a_line_too_long_is_measured_and_dropped() {
        let mut bytes = br#"{"facility_id":""#.to_vec();
        bytes.resize(10 << 20, b'x');
        bytes.extend(b"\n{\"facility_id\":\"B\"}\n");
        assert_eq!(texts(&bytes), [pair(1, "long 10485760"), pair(2, r#"{"facility_id":"B"}"#)]);
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(bytes in "[\\[\\]{},\"\\\\\na1 ]{0,80}", at in 0usize..80) {
            let at = at.min(bytes.len());
            let mut pieces = Vec::new();
            let mut splitter = Splitter::default();
            splitter.push(&bytes.as_bytes()[..at], &mut pieces);
            splitter.push(&bytes.as_bytes()[at..], &mut pieces);
            splitter.finish(&mut pieces);
            prop_assert_eq!(pieces, split(bytes.as_bytes()));
        }
    }
}
