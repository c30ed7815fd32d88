//! `ward facilities`: which accreditations expire, and stage 2 of the pipeline.

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::consent::Consent;
use super::context::Context;
use super::exit::Exit;
use super::output::{Column, Format, Output};
use crate::aws::Aws;
use crate::domain::expiry::{self, Window};
use crate::domain::facility::Facility;
use crate::domain::filter::Filter;
use crate::domain::formats;
use crate::domain::object::Object;
use crate::domain::problem::Problem;
use crate::settings::Origin;
use crate::work::cache::Cache;
use crate::work::export::{self, Choice, Row, Sort};
use crate::work::load::{self, Loaded};

/// How many problems of the data are told before the rest is counted.
const TOLD: usize = 10;

/// See which accreditations expire, and write those facilities to processed/
///
/// --output also takes ical (renewal dates for a calendar) and md (a Markdown table).
#[derive(Args, Debug)]
pub struct Facilities {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// The facilities, the most urgent first; with --within those with an accreditation that expires in it
    List {
        #[command(flatten)]
        which: Which,
    },
    /// One facility with all its accreditations
    Show {
        /// Its id: FAC004
        id: String,
    },
    /// The facilities with an accreditation that expires inside the window (--within, else 6mo); stage 2
    /// of the pipeline
    Expiring {
        #[command(flatten)]
        which: Which,
        /// Write each record to processed/expiring-<facility_id>.json
        #[arg(long)]
        write: bool,
        #[command(flatten)]
        consent: Consent,
    },
}

#[derive(Args, Debug)]
struct Which {
    /// state:TX days<30 !service:ICU accreditor:CAP tier:high name or place
    #[arg(long, value_name = "LINE", default_value = "", hide_default_value = true)]
    filter: String,
    /// tier, id, name, city, state, staff, services, expiry or accreditor
    #[arg(long, value_name = "COLUMN", default_value = "tier")]
    sort: Sort,
    #[arg(long)]
    reverse: bool,
}

impl Which {
    /// The choice, or the exit status once the filter's mistake is told.
    fn choice(self, out: &mut Output, within: Option<Window>) -> Result<Choice, Exit> {
        match Filter::parse(&self.filter) {
            Ok(filter) => Ok(Choice { filter, within, sort: self.sort, reverse: self.reverse }),
            Err(error) => {
                out.problem(&Problem::new(format!("--filter: {error}")).detail(error.pointed()));
                Err(Exit::Usage)
            }
        }
    }
}

impl Facilities {
    pub async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        match self.verb {
            Verb::List { which } => {
                // The window that is always there is the other subcommand's: here it has to be asked for.
                let asked = matches!(cx.settings.origin("within"), Origin::Flag(_));
                let within = asked.then(|| window(cx)).transpose()?;
                let choice = match which.choice(out, within) {
                    Ok(choice) => choice,
                    Err(exit) => return Ok(exit),
                };
                list(cx, out, &choice).await
            }
            Verb::Show { id } => show(cx, out, &id).await,
            Verb::Expiring { which, write, consent } => {
                let within = window(cx)?;
                let choice = match which.choice(out, Some(within)) {
                    Ok(choice) => choice,
                    Err(exit) => return Ok(exit),
                };
                expiring(cx, out, &choice, within, write, consent).await
            }
        }
    }
}

fn window(cx: &Context) -> Result<Window, Problem> {
    Window::parse(&cx.settings.within).map_err(Problem::new)
}

/// Everything in the bucket; what is wrong with it is told on stderr.
async fn loaded(cx: &Context, out: &mut Output) -> Result<(Aws, Loaded), Problem> {
    let aws = cx.aws().await?;
    let settings = &cx.settings;
    let cache = Cache::of(settings);
    let loaded = load::facilities(&aws, &settings.bucket, &settings.prefix, cache.as_ref(), |progress| {
        out.progress(progress.done, progress.of, "objects read");
    })
    .await
    .map_err(|e| e.problem())?;
    for problem in loaded.problems.iter().take(TOLD) {
        out.say(&format!("warning: {}", problem.title));
    }
    if loaded.problems.len() > TOLD {
        out.say(&format!("… and {} more warnings about the data", loaded.problems.len() - TOLD));
    }
    if loaded.facilities.is_empty() {
        let place = format!("s3://{}/{}", settings.bucket, settings.prefix);
        out.say(&format!("There are no facilities in {place}: `ward data upload` puts records there"));
    }
    Ok((aws, loaded))
}

fn facilities(loaded: &Loaded) -> Vec<&Facility> {
    loaded.facilities.iter().map(|(_, facility)| facility).collect()
}

async fn list(cx: &Context, out: &mut Output, choice: &Choice) -> Result<Exit, Problem> {
    let (_, loaded) = loaded(cx, out).await?;
    let facilities = facilities(&loaded);
    let rows = export::choose(&facilities, choice, cx.as_of);
    print(cx, out, &rows, choice.within);
    if out.talk_terminal || rows.is_empty() {
        let within = choice.within.map_or(String::new(), |within| format!(" within {}", within.words()));
        out.say(&format!("{} of {} facilities{within}, as of {}", rows.len(), facilities.len(), cx.as_of));
    }
    Ok(Exit::Done)
}

/// The rows in the form that was asked for.
fn print(cx: &Context, out: &mut Output, rows: &[Row], within: Option<Window>) {
    let format = match cx.settings.output.as_str() {
        "json" => formats::Format::Json,
        "ndjson" => formats::Format::Ndjson,
        "csv" => formats::Format::Csv,
        "ical" => formats::Format::Icalendar,
        "md" => formats::Format::Markdown,
        _ => return table(out, rows),
    };
    out.bytes(export::render(rows, format, within, cx.as_of).as_bytes());
}

fn table(out: &mut Output, rows: &[Row]) {
    let columns = [
        Column::text("id"),
        Column::text("name"),
        Column::text("city"),
        Column::text("st"),
        Column::number("staff"),
        Column::number("svc"),
        Column::text("expiry"),
        Column::number("days"),
        Column::text("accreditor"),
        Column::text("tier"),
    ];
    let rows: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| {
            let facility = row.facility;
            vec![
                facility.facility_id.clone().into(),
                facility.facility_name.clone().into(),
                facility.city.clone().into(),
                facility.state.clone().into(),
                facility.employee_count.into(),
                facility.services.len().into(),
                row.accreditation.and_then(|a| a.expiry).map(|date| date.to_string()).into(),
                row.days.into(),
                row.accreditation.map(|a| a.name.clone()).into(),
                row.tier.as_str().into(),
            ]
        })
        .collect();
    out.rows(&columns, &rows);
}

async fn show(cx: &Context, out: &mut Output, id: &str) -> Result<Exit, Problem> {
    let (_, loaded) = loaded(cx, out).await?;
    let found = loaded.facilities.iter().find(|(_, facility)| facility.facility_id.eq_ignore_ascii_case(id));
    let Some((object, facility)) = found else {
        out.problem(
            &Problem::new(format!("There is no facility {id}"))
                .detail(format!("{} facilities were read", loaded.facilities.len()))
                .hint("`ward facilities list` names them all"),
        );
        return Ok(Exit::No);
    };
    let row = Row::new(facility, cx.as_of);
    match cx.settings.output.as_str() {
        "table" => out.object(&members(&row, object, cx.as_of)),
        "json" | "ndjson" => {
            let mut value = row.to_value(cx.as_of);
            value["object"] = json!({ "key": object.key, "bytes": object.size, "modified": object.modified });
            value["record"] = facility.to_value();
            let text = match out.format() {
                Format::Ndjson => formats::json::line(&value),
                _ => formats::json::pretty(&value),
            };
            out.bytes((text + "\n").as_bytes());
        }
        _ => print(cx, out, &[row], None),
    }
    Ok(Exit::Done)
}

/// What a person reads of one facility.
fn members(row: &Row, object: &Object, as_of: NaiveDate) -> Vec<(&'static str, Value)> {
    let facility = row.facility;
    let place: Vec<&str> =
        [facility.city.as_deref(), facility.state.as_deref()].into_iter().flatten().collect();
    let accreditations: Vec<String> = (facility.accreditations.iter())
        .map(|accreditation| {
            let tier = expiry::tier(accreditation.expiry, as_of);
            let when = match accreditation.expiry.map(|date| (date, expiry::days_left(date, as_of))) {
                Some((date, days)) if days < 0 => format!("{date}  {} days ago", -days),
                Some((date, days)) => format!("{date}  in {days} days"),
                None => accreditation.expiry_text.clone().unwrap_or_else(|| "no date".into()),
            };
            format!("{tier:<8}  {}  {when}", accreditation.name)
        })
        .collect();
    let mut members = vec![
        ("facility", facility.facility_id.clone().into()),
        ("name", facility.facility_name.clone().into()),
        ("place", place.join(", ").into()),
        ("staff", facility.employee_count.into()),
        ("services", facility.services.join(", ").into()),
        ("tier", row.tier.as_str().into()),
        ("accreditations", accreditations.join("\n").into()),
        ("object", object.key.clone().into()),
    ];
    if let Some(modified) = object.modified {
        members.push(("modified", modified.format("%Y-%m-%d %H:%M:%S UTC").to_string().into()));
    }
    let labs = facility.labs();
    if !labs.is_empty() {
        members.push(("labs", labs.join(", ").into()));
    }
    members
}

async fn expiring(
    cx: &Context,
    out: &mut Output,
    choice: &Choice,
    within: Window,
    write: bool,
    consent: Consent,
) -> Result<Exit, Problem> {
    let (aws, loaded) = loaded(cx, out).await?;
    let facilities = facilities(&loaded);
    let rows = export::choose(&facilities, choice, cx.as_of);
    let share = 100.0 * rows.len() as f64 / facilities.len().max(1) as f64;
    let count = format!(
        "{} of {} facilities ({share:.1} %) have an accreditation that expires from {} to {}",
        rows.len(),
        facilities.len(),
        cx.as_of,
        within.end(cx.as_of)
    );
    if !write {
        print(cx, out, &rows, Some(within));
        out.say(&count);
        return Ok(Exit::Done);
    }
    let bucket = &cx.settings.bucket;
    let place = format!("s3://{bucket}/{}", export::PROCESSED);
    if !consent.dry_run {
        let deed = format!("Write the records of {} facilities to {place}", rows.len());
        if let Err(exit) = consent.ask(cx, out, &deed) {
            return Ok(exit);
        }
    }
    let total = rows.len();
    let mut done = 0;
    let written = export::write_expiring(&aws, bucket, &rows, consent.dry_run, |_| {
        done += 1;
        out.progress(done, total, "records written");
    })
    .await
    .map_err(|e| e.problem())?;
    print(cx, out, &rows, Some(within));
    out.say(&count);
    let unchanged = written.done.iter().filter(|done| done.unchanged).count();
    let verb = if consent.dry_run { "would be written" } else { "written" };
    out.say(&format!("{} {verb} to {place}, {unchanged} unchanged", total - unchanged));
    if !written.older.is_empty() {
        out.say(&format!(
            "{} objects of earlier runs stay there: they are not among these facilities",
            written.older.len()
        ));
    }
    Ok(Exit::Done)
}
