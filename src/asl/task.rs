//! Task states: scheduling the work, hearing of it, and giving up on it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::cursor::{About, At, Offered, Strand, Ticket, Timer, Work};
use super::event::{with_data, with_failure};
use super::failure::{DATA_LIMIT, Failure, TIMEOUT};
use super::machine::{Kind, State, TaskState};
use super::resource::{Pattern, Resource};
use super::run::{Run, too_large};
use super::shape::Seen;
use super::step::{Directive, Progress, Task};
use super::template::Amount;

/// The names of a task's events differ by what it calls.
fn prefix(resource: &Resource) -> &'static str {
    match resource {
        Resource::Lambda(_) => "LambdaFunction",
        Resource::Activity(_) => "Activity",
        Resource::Integration(_) => "Task",
    }
}

/// `{"resourceType": …, "resource": …}` for integrations, nothing for the older forms.
fn named(resource: &Resource) -> Value {
    match resource {
        Resource::Integration(i) => json!({"resourceType": i.resource_type(), "resource": i.resource()}),
        _ => json!({}),
    }
}

impl<'m> Run<'m> {
    pub(super) fn task(&mut self, id: u64, mut strand: Strand, state: &'m State, task: &'m TaskState) {
        let ticket = self.cursor.ticket();
        let token = match &task.resource {
            Resource::Activity(_) => true,
            Resource::Integration(i) => i.pattern == Pattern::Callback,
            Resource::Lambda(_) => false,
        }
        .then(|| token(&self.cursor.about, ticket, &self.chance.uuid()));
        let prepared = self.effective(&strand, state).and_then(|effective| {
            let input = self.arguments(&strand, state, &effective, token.as_deref())?;
            let amount = |field, amount: &Option<_>| {
                amount.as_ref().map(|a| self.amount(field, a, effective.value(), &strand)).transpose()
            };
            let credentials = task.credentials.as_ref();
            let credentials = credentials
                .map(|c| {
                    let seen = Seen { token: token.as_deref(), ..Seen::of(effective.value()) };
                    self.fill(c, &strand, &seen)
                })
                .transpose()?;
            let timeout = amount("TimeoutSeconds", &task.timeout)?;
            let heartbeat = amount("HeartbeatSeconds", &task.heartbeat)?;
            self.beats(&strand, task, timeout, heartbeat)?;
            Ok((input, timeout, heartbeat, credentials))
        });
        let (input, timeout, heartbeat, credentials) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return self.fail_here(id, strand, state, failure),
        };
        let mut details = match &task.resource {
            Resource::Lambda(arn) | Resource::Activity(arn) => {
                with_data(json!({"resource": arn}), "input", input.text())
            }
            resource => {
                let mut details = named(resource);
                details["region"] = self.cursor.about.region.as_str().into();
                details["parameters"] = input.text().into();
                details
            }
        };
        for (member, seconds) in [("timeoutInSeconds", timeout), ("heartbeatInSeconds", heartbeat)] {
            if let Some(seconds) = seconds {
                details[member] = (seconds as i64).into();
            }
        }
        if let Some(role) = credentials.as_ref().and_then(|c| c.get("RoleArn")) {
            details["taskCredentials"] = json!({"roleArn": role});
        }
        let prefix = prefix(&task.resource);
        strand.previous = self.record(strand.previous, &format!("{prefix}Scheduled"), Some(details));
        match &task.resource {
            // A worker will say when it starts.
            Resource::Activity(_) => {}
            Resource::Lambda(_) => {
                strand.previous = self.record(strand.previous, "LambdaFunctionStarted", None);
            }
            resource => strand.previous = self.record(strand.previous, "TaskStarted", Some(named(resource))),
        }
        let mut work = Work {
            ticket,
            resource: task.resource.arn().to_owned(),
            token: token.clone(),
            timeout: None,
            heartbeat: None,
            submitted: None,
            offered: None,
        };
        // An activity's times begin when a worker takes the task.
        if let Resource::Activity(_) = &task.resource {
            work.offered = Some(Offered { input: input.clone(), timeout, heartbeat });
        } else {
            work.timeout = timeout.map(|s| self.timer(s));
            work.heartbeat = heartbeat.map(|s| self.timer(s));
        }
        strand.at = At::Working(Box::new(work));
        self.cursor.strands.insert(id, strand);
        self.out.push(Directive::Task(Task { ticket, resource: task.resource.clone(), input, token }));
    }

    /// A heartbeat must come sooner than the task's end (States Language, "Task State"); where both are literal, the
    /// definition was refused.
    fn beats(
        &self,
        strand: &Strand,
        task: &TaskState,
        timeout: Option<f64>,
        heartbeat: Option<f64>,
    ) -> Result<(), Failure> {
        let (Some(timeout), Some(heartbeat)) = (timeout, heartbeat) else { return Ok(()) };
        if heartbeat < timeout {
            return Ok(());
        }
        let cause = format!(
            "'HeartbeatSeconds' must be smaller than 'TimeoutSeconds', but {heartbeat} is not smaller than {timeout}"
        );
        let queried = |amount: &Option<Amount>| matches!(amount, Some(Amount::Query { .. }));
        let failure = match queried(&task.heartbeat) || queried(&task.timeout) {
            true => Failure::in_field("HeartbeatSeconds", cause),
            false => Failure::runtime(cause),
        };
        Err(self.placed(strand, failure))
    }

    pub(super) fn heard(&mut self, ticket: Ticket, progress: Progress) {
        let Some(id) = self.cursor.holder(ticket) else { return };
        let Some(mut strand) = self.cursor.strands.remove(&id) else { return };
        let state = self.state(&strand);
        let (Some(state), At::Working(work)) = (state, &mut strand.at) else {
            self.cursor.strands.insert(id, strand);
            return;
        };
        if work.ticket != ticket {
            self.cursor.strands.insert(id, strand);
            return;
        }
        let Kind::Task(task) = &state.kind else { return self.heard_of_run(id, strand, state, progress) };
        let prefix = prefix(&task.resource);
        let (previous, timers) = (strand.previous, timers(work));
        let progress = match progress {
            Progress::Succeeded(output) if output.is_too_large() => {
                let what = match &task.resource {
                    Resource::Integration(i) => i.service.clone(),
                    Resource::Lambda(arn) | Resource::Activity(arn) => arn.clone(),
                };
                Progress::Failed(Failure::new(DATA_LIMIT, too_large(&what)))
            }
            other => other,
        };
        match progress {
            Progress::Started { worker } => {
                if let Some(offered) = work.offered.take() {
                    work.timeout = offered.timeout.map(|s| self.timer(s));
                    work.heartbeat = offered.heartbeat.map(|s| self.timer(s));
                }
                let details = worker.map_or(json!({}), |worker| json!({"workerName": worker}));
                strand.previous = self.record(previous, "ActivityStarted", Some(details));
                self.cursor.strands.insert(id, strand);
            }
            Progress::Submitted(output) => {
                let details = with_data(named(&task.resource), "output", output.text());
                work.submitted = Some(output);
                strand.previous = self.record(previous, "TaskSubmitted", Some(details));
                self.cursor.strands.insert(id, strand);
            }
            Progress::Succeeded(output) => {
                timers.into_iter().for_each(|t| self.cancel(t));
                let details = with_data(named(&task.resource), "output", output.text());
                strand.previous = self.record(previous, &format!("{prefix}Succeeded"), Some(details));
                self.finish_state(id, strand, state, output);
            }
            Progress::Unscheduled(failure) => {
                let details = with_failure(json!({}), &failure);
                strand.previous = self.record(previous, &format!("{prefix}ScheduleFailed"), Some(details));
                self.fail_here(id, strand, state, failure);
            }
            Progress::Failed(failure) => {
                timers.into_iter().for_each(|t| self.cancel(t));
                let details = with_failure(named(&task.resource), &failure);
                strand.previous = self.record(previous, &format!("{prefix}Failed"), Some(details));
                self.fail_here(id, strand, state, failure);
            }
        }
    }

    /// TimeoutSeconds or HeartbeatSeconds passed.
    pub(super) fn timed_out(&mut self, id: u64, mut strand: Strand, ticket: Ticket) {
        let state = self.state(&strand);
        let (Some(state), At::Working(work)) = (state, &strand.at) else {
            self.cursor.strands.insert(id, strand);
            return;
        };
        let Kind::Task(task) = &state.kind else { return };
        let heartbeat = work.heartbeat.as_ref().is_some_and(|t| t.ticket == ticket);
        let (own, timers) = (work.ticket, timers(work));
        timers.into_iter().filter(|t| *t != ticket).chain([own]).for_each(|t| self.cancel(t));
        let failure = Failure { error: Some(TIMEOUT.into()), heartbeat, ..Failure::default() };
        let kind = format!("{}TimedOut", prefix(&task.resource));
        strand.previous = self.record_failure(strand.previous, &kind, named(&task.resource), &failure);
        self.fail_here(id, strand, state, failure);
    }

    /// A sign of life: the heartbeat's time starts anew.
    pub(super) fn heartbeat(&mut self, ticket: Ticket) {
        let Some(id) = self.cursor.holder(ticket) else { return };
        let Some(mut strand) = self.cursor.strands.remove(&id) else { return };
        if let At::Working(work) = &mut strand.at
            && let Some(Timer { ticket, from, until }) = work.heartbeat.clone()
        {
            self.cancel(ticket);
            work.heartbeat = Some(self.timer_until(self.now + (until - from)));
        }
        self.cursor.strands.insert(id, strand);
    }
}

fn timers(work: &Work) -> Vec<Ticket> {
    work.timeout.iter().chain(&work.heartbeat).map(|t| t.ticket).collect()
}

/// A task token names the execution and the ticket, is random, and is signed, so that one that was never
/// given out is told from one that no longer counts.
fn token(about: &About, ticket: Ticket, random: &str) -> String {
    let named = format!("{random} {ticket} {}", about.id);
    URL_SAFE_NO_PAD.encode(format!("{} {named}", signature(&about.secret, &named)))
}

fn signature(secret: &str, named: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{secret} {named}")))
}

/// What a task token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The execution's ARN.
    pub execution: String,
    pub ticket: Ticket,
    /// Signed with the secret it was read with.
    pub genuine: bool,
}

/// Reads a task token; `None` when it does not have the form of one.
pub fn read_token(token: &str, secret: &str) -> Option<Token> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (signed, named) = text.split_once(' ')?;
    let genuine = signed == signature(secret, named);
    // Those that were given out before tokens were signed begin with what is random.
    let unsigned = uuid::Uuid::try_parse(signed).is_ok();
    let mut parts = if unsigned { text.splitn(3, ' ') } else { named.splitn(3, ' ') }.skip(1);
    let ticket = parts.next()?.parse().ok()?;
    Some(Token { execution: parts.next()?.to_owned(), ticket, genuine })
}
