//! `ward doctor`: what is there, what is not, and what to do about it.

use std::io::IsTerminal;

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::exit::Exit;
use super::output::{Column, Format, Output};
use crate::domain::problem::Problem;
use crate::settings::keys::Kind;
use crate::work::doctor::{Check, Verdict, examine};

/// Check credentials, permissions, bucket, table, function, state machine and terminal; exit 1 if
/// something is bad
#[derive(Args, Debug)]
pub struct Doctor {
    /// Show every setting, its value and where it came from
    #[arg(long)]
    settings: bool,
}

impl Doctor {
    pub async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        if self.settings {
            settings(cx, out);
            return Ok(Exit::Done);
        }
        let mut checks = vec![Check::good("target", cx.place())];
        if let Some(hint) = &cx.settings.hint {
            checks[0] = Check::doubtful("target", cx.place(), hint.clone());
        }
        checks.extend(terminal());
        for check in &checks {
            line(out, check);
        }
        match cx.aws().await {
            Ok(aws) => {
                let mut report = |check: Check| {
                    line(out, &check);
                    checks.push(check);
                };
                examine(&aws, &cx.settings, chrono::Utc::now(), &mut report).await;
            }
            Err(problem) => {
                let check = Check::problem("connection", problem);
                line(out, &check);
                checks.push(check);
            }
        }
        if out.format() != Format::Table {
            rows(out, &checks);
        }
        let bad = checks.iter().filter(|check| check.verdict == Verdict::Bad).count();
        let doubtful = checks.iter().filter(|check| check.verdict == Verdict::Doubtful).count();
        match (bad, doubtful) {
            (0, 0) => out.say("Everything is as it should be."),
            (0, n) => out.say(&format!("Nothing is broken; {n} to look at.")),
            (n, _) => out.say(&format!("{n} to put right.")),
        }
        Ok(if bad > 0 { Exit::No } else { Exit::Done })
    }
}

/// People see each check as it ends; programs get the list at the end.
fn line(out: &mut Output, check: &Check) {
    if out.format() != Format::Table {
        return;
    }
    let glyph = match check.verdict {
        Verdict::Good => "✔",
        Verdict::Doubtful => "▲",
        Verdict::Bad => "✖",
        Verdict::Skipped => "○",
    };
    out.text(&format!("{glyph} {:<8} {:<13}  {}", check.verdict.word(), check.what, check.found));
    if let Some(remedy) = &check.remedy {
        out.text(&format!("{:>26}{remedy}", "→ "));
    }
}

fn rows(out: &mut Output, checks: &[Check]) {
    let columns =
        [Column::text("check"), Column::text("verdict"), Column::text("found"), Column::text("remedy")];
    let rows: Vec<Vec<Value>> = checks
        .iter()
        .map(|check| {
            vec![
                check.what.into(),
                check.verdict.word().into(),
                check.found.clone().into(),
                check.remedy.clone().into(),
            ]
        })
        .collect();
    out.rows(&columns, &rows);
}

/// What the console needs of the terminal.
fn terminal() -> Vec<Check> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let term = variable("TERM");
    if !std::io::stdout().is_terminal() {
        return vec![Check::good("terminal", "stdout is none: the console needs one, subcommands do not")];
    }
    let mut checks = Vec::new();
    match rustix::termios::tcgetwinsize(std::io::stdout()) {
        Ok(size) if size.ws_col < 60 || size.ws_row < 16 => checks.push(Check::doubtful(
            "terminal",
            format!("{} columns, {} rows", size.ws_col, size.ws_row),
            "the console needs 60 columns and 16 rows",
        )),
        Ok(size) => checks.push(Check::good("terminal", format!("{term}, {}x{}", size.ws_col, size.ws_row))),
        Err(_) => {}
    }
    if term == "dumb" || term.is_empty() {
        let remedy = "set TERM to what your terminal is, xterm-256color for most";
        checks.push(Check::doubtful("terminal", "TERM says that nothing can be drawn", remedy));
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).into_iter().find(|text| !text.is_empty());
    let utf8 =
        locale.as_ref().is_some_and(|text| text.to_ascii_lowercase().replace('-', "").contains("utf8"));
    if !utf8 {
        let found = format!("the locale is {}", locale.as_deref().unwrap_or("not set"));
        checks.push(Check::doubtful("terminal", found, "if lines look broken: --ascii, or a UTF-8 locale"));
    }
    checks
}

fn settings(cx: &Context, out: &mut Output) {
    let columns = [
        Column::text("setting"),
        Column::text("value"),
        Column::text("origin"),
        Column::text("variable"),
        Column::text("meaning"),
    ];
    let rows: Vec<Vec<Value>> = cx
        .settings
        .entries()
        .map(|(key, text, origin)| {
            let value = match key.kind {
                Kind::Switch => Value::from(text == "true"),
                _ if text.is_empty() => Value::Null,
                _ => text.into(),
            };
            vec![key.name.into(), value, origin.to_string().into(), key.variable().into(), key.help.into()]
        })
        .collect();
    out.rows(&columns, &rows);
    if out.format() == Format::Table {
        let file = cx.sources.file.as_ref().map(|(path, _)| path.clone());
        let default = super::globals::default_config().map(|path| path.display().to_string());
        match (file, default) {
            (Some(path), _) => out.say(&format!("Configuration: {path}")),
            (None, Some(path)) => out.say(&format!("No configuration file; it would be {path}")),
            (None, None) => {}
        }
        if let Some(hint) = &cx.settings.hint {
            out.say(hint);
        }
    }
}
