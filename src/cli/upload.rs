//! `ward data upload`: records into the bucket.

use std::path::PathBuf;

use futures::stream;

use super::consent::Consent;
use super::context::Context;
use super::exit::Exit;
use super::output::{Column, Format, Output};
use super::validate;
use crate::domain::problem::Problem;
use crate::domain::units;
use crate::work::source;
use crate::work::upload::{self, Done, Plan};

/// How many findings are told before the rest is counted.
const TOLD: usize = 20;

/// Checks the records, asks where it must, and uploads the good ones.
pub async fn run(
    cx: &Context,
    out: &mut Output,
    paths: &[PathBuf],
    skip_bad: bool,
    consent: Consent,
) -> Result<Exit, Problem> {
    if paths.iter().any(|path| path.as_os_str() == "-") {
        let problem = Problem::new("The standard input cannot be uploaded, since records are read twice");
        out.problem(&problem.hint("Write it to a file first"));
        return Ok(Exit::Usage);
    }
    let sources = source::sources(paths)?;
    let mut told = 0;
    let (plan, summary) = Plan::new(sources, |source, line, finding| {
        told += 1;
        if told <= TOLD {
            let line = line.map_or(String::new(), |line| format!(":{line}"));
            out.say(&format!("{}{line}: {finding}", source.shown()));
        }
    })
    .map_err(|e| Problem::new("The records could not be read").detail(e.to_string()))?;
    if told > TOLD {
        out.say(&format!("… and {} more; `ward data validate` names them all", told - TOLD));
    }
    if !summary.is_good() && !skip_bad {
        out.problem(&Problem::new("Nothing was uploaded").detail(validate::summary_text(&summary)).hint(
            "`ward data validate --fix --into FOLDER` repairs copies; --skip-bad uploads the good ones",
        ));
        return Ok(Exit::No);
    }
    let (bucket, prefix) = (cx.settings.bucket.clone(), cx.settings.prefix.clone());
    let place = format!("s3://{bucket}/{prefix}");
    let drafts = plan.drafts;
    if !consent.dry_run
        && let Err(exit) =
            consent.ask(cx, out, &format!("Upload {} to {place}", units::count(drafts, "record", "records")))
    {
        return Ok(exit);
    }
    let aws = cx.aws().await?;
    let present = upload::present(&aws, &bucket, &prefix).await.map_err(|e| e.problem())?;
    let (receiver, reader) = plan.drafts(prefix);
    let stream = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|draft| (draft, receiver))
    });
    let mut all: Vec<Done> = Vec::new();
    let written = upload::write(&aws, &bucket, &present, stream, consent.dry_run, |done| {
        all.push(done);
        out.progress(all.len(), drafts, "records uploaded");
    })
    .await;
    let read =
        reader.await.map_err(|e| Problem::new("The records could not be read").detail(e.to_string()))?;
    all.sort_by(|a, b| a.key.cmp(&b.key));
    report(out, &all, consent.dry_run);
    let unchanged = all.iter().filter(|done| done.unchanged).count();
    let verb = if consent.dry_run { "would be uploaded" } else { "uploaded" };
    out.say(&format!("{} {verb} to {place}, {unchanged} unchanged", all.len() - unchanged));
    if let Err(error) = written {
        let problem = error.problem();
        let hint = problem.hint.clone().unwrap_or_else(|| "Run it again".into());
        return Err(problem.hint(format!("{hint}; what was uploaded will be skipped")));
    }
    read?;
    Ok(Exit::Done)
}

/// The objects one by one: for scripts, and before anything is done.
fn report(out: &mut Output, all: &[Done], dry_run: bool) {
    if out.format() == Format::Table && !dry_run {
        return;
    }
    let action = |done: &Done| match (done.unchanged, dry_run) {
        (true, _) => "unchanged",
        (false, true) => "would upload",
        (false, false) => "uploaded",
    };
    let columns = [Column::text("key"), Column::number("bytes"), Column::text("action")];
    let rows: Vec<_> =
        all.iter().map(|done| vec![done.key.clone().into(), done.size.into(), action(done).into()]).collect();
    out.rows(&columns, &rows);
}
