//! The story as Markdown.

use super::{Incident, Weight};

pub(super) fn write(incident: &Incident) -> String {
    let mut out = format!("### {}\n\n{}\n", escaped(&incident.title), code(&incident.arn));
    for part in &incident.parts {
        if !part.title.is_empty() {
            out += &format!("\n**{}**\n", escaped(&part.title));
        }
        let mut quoted: Vec<&str> = Vec::new();
        for line in &part.lines {
            if line.weight == Weight::Code {
                quoted.push(&line.text);
                continue;
            }
            flush(&mut out, &mut quoted);
            let text = escaped(&line.text);
            out += &match line.weight {
                Weight::Bad | Weight::Strong => format!("- **{text}**\n"),
                _ => format!("- {text}\n"),
            };
        }
        flush(&mut out, &mut quoted);
    }
    out
}

/// Quoted lines in a fence longer than any run of backticks in them.
fn flush(out: &mut String, quoted: &mut Vec<&str>) {
    if quoted.is_empty() {
        return;
    }
    let text = quoted.join("\n");
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    *out += &format!("\n{fence}\n{text}\n{fence}\n");
    quoted.clear();
}

fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    format!("{fence}{text}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Text that Markdown takes as text.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_<>[]|#".contains(c) {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}
