//! Regular expressions in Java's spelling. <https://trino.io/docs/current/functions/regexp.html>

use regex::Regex;

use super::native::argument;
use crate::local::athena::failure::Failure;

/// What the engine's regular expressions do not have, by how it is written.
const FOREIGN: [(&str, &str); 7] = [
    ("(?=", "look-ahead"),
    ("(?!", "look-ahead"),
    ("(?<=", "look-behind"),
    ("(?<!", "look-behind"),
    ("(?>", "atomic groups"),
    ("\\k<", "back references"),
    ("\\G", "\\G"),
];

/// The name of something that the pattern has and the engine has not. Escaped characters are passed over.
fn foreign(pattern: &str) -> Option<&'static str> {
    let mut at = 0;
    while let Some(rest) = pattern.get(at..) {
        let mut chars = rest.chars();
        let first = chars.next()?;
        if let Some((_, name)) = FOREIGN.iter().find(|(start, _)| rest.starts_with(start)) {
            return Some(name);
        }
        at += first.len_utf8();
        if first == '\\'
            && let Some(next) = chars.next()
        {
            if matches!(next, '1'..='9') {
                return Some("back references");
            }
            at += next.len_utf8();
        }
    }
    None
}

pub fn compile(pattern: &str) -> Result<Regex, Failure> {
    Regex::new(pattern).map_err(|error| {
        if let Some(name) = foreign(pattern) {
            let message = format!("the local cloud does not have {name} in regular expressions: {pattern}");
            return Failure::unsupported(message);
        }
        // The last of several lines says what is wrong.
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
        argument(format!("Invalid pattern '{pattern}': {why}"))
    })
}

/// A replacement as the engine writes it: `${1}` where Java writes `$1`; a backslash makes the next
/// character plain.
pub fn replacement(with: &str, regex: &Regex) -> Result<String, Failure> {
    let unknown =
        |group: &str| argument(format!("Illegal replacement sequence: unknown group {{ {group} }}"));
    let mut out = String::new();
    let mut chars = with.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('$') => out.push_str("$$"),
                Some(next) => out.push(next),
                None => return Err(argument(format!("Illegal replacement sequence: {with}"))),
            },
            '$' if chars.next_if_eq(&'{').is_some() => {
                let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                if !regex.capture_names().flatten().any(|known| known == name) {
                    return Err(unknown(&name));
                }
                out.push_str(&format!("${{{name}}}"));
            }
            '$' => {
                let digit = chars.next_if(char::is_ascii_digit);
                let Some(digit) = digit else {
                    return Err(argument(format!("Illegal replacement sequence: {with}")));
                };
                let mut group = digit.to_string();
                if !known(regex, &group) {
                    return Err(unknown(&group));
                }
                // As many digits as still name a group.
                while let Some(next) =
                    chars.next_if(|c| c.is_ascii_digit() && known(regex, &format!("{group}{c}")))
                {
                    group.push(next);
                }
                out.push_str(&format!("${{{group}}}"));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

fn known(regex: &Regex, group: &str) -> bool {
    group.parse::<usize>().is_ok_and(|n| n < regex.captures_len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_named() {
        for (pattern, name) in [
            ("a(?=b)", "look-ahead"),
            ("(?<!a)b", "look-behind"),
            ("(?>a|b)c", "atomic groups"),
            ("(a)\\1", "back references"),
        ] {
            let failure = compile(pattern).unwrap_err();
            assert_eq!(failure.name, "NOT_SUPPORTED", "{pattern}: {failure}");
            assert!(failure.message.contains(name) && !failure.message.contains('\n'), "{failure}");
        }
        assert_eq!(
            compile("a(").unwrap_err().to_string(),
            "INVALID_FUNCTION_ARGUMENT: Invalid pattern 'a(': unclosed group"
        );
        assert!(compile("\\\\1(?<name>a)").is_ok());
    }

    #[test]
    fn replacements_name_groups_as_java_does() {
        let regex = compile("(a)(?<b>b)").unwrap();
        assert_eq!(replacement("$1x\\$1${b}$23", &regex).unwrap(), "${1}x$$1${b}${2}3");
        assert!(replacement("$9", &regex).is_err() && replacement("${z}", &regex).is_err());
        assert!(replacement("$", &regex).is_err());
    }
}
