//! `ward logs`: what the function wrote.

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use futures::{StreamExt, pin_mut};
use serde_json::Value;

use super::context::Context;
use super::exit::Exit;
use super::output::{Column, Format, Output};
use crate::aws::{Kind, follow, logs::group_of};
use crate::domain::log::LogLine;
use crate::domain::problem::Problem;

/// The function's log
#[derive(Args, Debug)]
pub struct Logs {
    /// Go on with new lines as they come, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// From when: 15m, 2h, 3d, or 2026-01-01T12:00:00Z
    #[arg(long, default_value = "1h", value_parser = since)]
    since: Since,
    /// Only lines that match this CloudWatch filter pattern: ERROR, "two words", { $.level = "ERROR" }
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,
    /// Another log group than the function's
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Since {
    Ago(TimeDelta),
    At(DateTime<Utc>),
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Since::At(at.to_utc()));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: Option<i64> = number.parse().ok();
    let span = match unit {
        "s" => number.and_then(TimeDelta::try_seconds),
        "m" => number.and_then(TimeDelta::try_minutes),
        "h" => number.and_then(TimeDelta::try_hours),
        "d" => number.and_then(TimeDelta::try_days),
        _ => None,
    };
    span.map(Since::Ago)
        .ok_or_else(|| "write a span (90s, 15m, 2h, 3d) or a time (2026-01-01T12:00:00Z)".into())
}

impl Logs {
    pub async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        let aws = cx.aws().await?;
        let group = self.group.clone().unwrap_or_else(|| group_of(&cx.settings.function));
        let since = match self.since {
            Since::Ago(span) => Utc::now().checked_sub_signed(span).unwrap_or_default(),
            Since::At(at) => at,
        };
        if !self.follow {
            return self.page_through(cx, out, &aws, &group, since).await;
        }
        out.say(&format!("Following {group}; Ctrl-C ends it."));
        let lines = follow::matching_logs(&aws, &group, Some(since), self.filter.clone());
        pin_mut!(lines);
        loop {
            let answer = tokio::select! {
                answer = lines.next() => answer,
                _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
            };
            match answer {
                None => return Ok(Exit::Done),
                Some(Ok(lines)) => lines.iter().for_each(|line| print(cx, out, line)),
                Some(Err(error)) if error.retry() => out.say(&format!("{}; trying again", error.problem())),
                Some(Err(error)) => return Err(error.problem()),
            }
            if out.closed() {
                return Ok(Exit::Done);
            }
        }
    }

    async fn page_through(
        &self,
        cx: &Context,
        out: &mut Output,
        aws: &crate::aws::Aws,
        group: &str,
        since: DateTime<Utc>,
    ) -> Result<Exit, Problem> {
        let mut token = None;
        let mut count = 0usize;
        loop {
            let page = aws.logs.filter_log_events(group, Some(since), self.filter.as_deref(), token).await;
            let page = match page {
                Ok(page) => page,
                Err(error) if error.kind == Kind::NotFound => {
                    let hint = match &self.group {
                        Some(group) if *group != group_of(&cx.settings.function) => {
                            "Check --group; without it the log of the pipeline's function is shown".to_owned()
                        }
                        _ => format!(
                            "The function writes {group} when it first runs: `ward data upload` sets it off"
                        ),
                    };
                    return Err(error.problem().hint(hint));
                }
                Err(error) => return Err(error.problem()),
            };
            count += page.items.len();
            page.items.iter().for_each(|line| print(cx, out, line));
            token = page.next;
            if token.is_none() || out.closed() {
                break;
            }
        }
        if count == 0 && out.format() == Format::Table {
            let matches = self.filter.as_ref().map(|filter| format!(" matches {filter}"));
            let matches = matches.unwrap_or_default();
            out.say(&format!("No line since {}{matches}: --since 1d looks further back.", cx.time(since)));
        }
        Ok(Exit::Done)
    }
}

fn print(cx: &Context, out: &mut Output, line: &LogLine) {
    let columns = [Column::text("at"), Column::text("stream"), Column::text("message"), Column::text("id")];
    let row: [Value; 4] = [
        line.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into(),
        line.stream.clone().into(),
        line.text.clone().into(),
        line.id.clone().into(),
    ];
    out.event(&columns, &row, &format!("{}  {}", cx.clock(line.at), line.text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_spans_and_times() {
        assert_eq!(since("15m"), Ok(Since::Ago(TimeDelta::minutes(15))));
        assert_eq!(since("1970-01-01T00:00:01Z"), Ok(Since::At(DateTime::from_timestamp(1, 0).unwrap())));
        for wrong in ["", "5", "m", "5 parsecs", "99999999999999999999d"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
