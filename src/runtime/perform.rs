//! Effects to calls of `aws` and `work`, and their answers to facts: one arm for each request.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use tokio::task::AbortHandle;

use crate::aws::Aws;
use crate::aws::athena::Start;
use crate::domain::log::LogLine;
use crate::domain::problem::Problem;
use crate::runtime::connection::Connection;
use crate::runtime::options::Options;
use crate::runtime::{Inbox, Input, compute, export, session};
use crate::ui::effect::{Effect, Reply, Request, Table};
use crate::ui::msg::Msg;
use crate::ui::remote::Ticket;
use crate::ui::world::{Facilities, Link, Setup};
use crate::work::cache::Cache;
use crate::work::load;

/// Lines asked for at once, at most.
const LINES: usize = 10_000;

/// Performs orders, each in a task of its own.
pub(crate) struct Performer {
    world: Arc<Reach>,
    /// Tasks whose answer may be given up, by ticket.
    tasks: Arc<Mutex<HashMap<Ticket, AbortHandle>>>,
}

/// What a task needs.
struct Reach {
    connection: Connection,
    setup: Setup,
    cache: Option<Cache>,
    inbox: Inbox,
    identified: AtomicBool,
}

impl Performer {
    pub(crate) fn new(options: &Options, inbox: Inbox) -> Performer {
        let news = inbox.clone();
        let tell = Arc::new(move |problem| {
            let _ = news.send(Input::Msg(Msg::Warned(problem)));
        });
        let world = Reach {
            connection: Connection::new(options.connect.clone(), tell),
            setup: options.setup.clone(),
            cache: options.cache.clone(),
            inbox,
            identified: AtomicBool::new(false),
        };
        Performer { world: Arc::new(world), tasks: Arc::default() }
    }

    pub(crate) fn connection(&self) -> Connection {
        self.world.connection.clone()
    }

    /// Puts a fact into the queue.
    pub(crate) fn tell(&self, msg: Msg) {
        self.put(Input::Msg(msg));
    }

    /// Puts something into the queue.
    pub(crate) fn put(&self, input: Input) {
        let _ = self.world.inbox.send(input);
    }

    /// Connects and asks who we are.
    pub(crate) fn identify(&self) {
        tokio::spawn(identify(self.world.clone()).boxed());
    }

    pub(crate) fn perform(&self, effect: Effect) {
        match effect {
            Effect::Ask(ticket, request) => {
                let gives_up = !writes(&request);
                let task = ask(self.world.clone(), ticket, request);
                self.spawn(ticket, gives_up, task);
            }
            Effect::Compute(ticket, job) => self.spawn(ticket, true, async move {
                tokio::task::spawn_blocking(move || compute::compute(&job))
                    .await
                    .map_err(|_| Problem::new("Sorting stopped with a fault of the console"))
            }),
            Effect::Forget(ticket) => {
                let task = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket);
                if let Some(task) = task {
                    task.abort();
                }
            }
            Effect::OpenUrl(url) => {
                let inbox = self.world.inbox.clone();
                tokio::spawn(
                    async move {
                        let _ = inbox.send(Input::Msg(open_url(&url).await));
                    }
                    .boxed(),
                );
            }
            // The terminal's own orders are performed by the loop.
            Effect::Copy(_) | Effect::Notify(_) | Effect::Mouse(_) | Effect::Suspend | Effect::Quit => {}
        }
    }

    fn spawn(
        &self,
        ticket: Ticket,
        gives_up: bool,
        work: impl Future<Output = Result<Reply, Problem>> + Send + 'static,
    ) {
        let inbox = self.world.inbox.clone();
        let tasks = self.tasks.clone();
        let task = tokio::spawn(work.boxed());
        if gives_up {
            self.tasks.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket, task.abort_handle());
        }
        tokio::spawn(
            async move {
                let answer = match task.await {
                    Ok(answer) => answer,
                    Err(error) if error.is_cancelled() => return,
                    Err(error) => Err(Problem::new("A request stopped with a fault of the console")
                        .detail(error.to_string())
                        .hint("r asks again")),
                };
                tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket);
                let _ = inbox.send(Input::Msg(Msg::Replied(ticket, answer)));
            }
            .boxed(),
        );
    }
}

/// Requests that change something are never given up half-way.
fn writes(request: &Request) -> bool {
    matches!(
        request,
        Request::StartExecution { .. }
            | Request::StopExecution { .. }
            | Request::RedriveExecution { .. }
            | Request::SendTaskSuccess { .. }
            | Request::SendTaskFailure { .. }
            | Request::StartQuery { .. }
            | Request::StopQuery { .. }
            | Request::Export { .. }
    )
}

async fn identify(world: Arc<Reach>) {
    let link = match world.connection.aws().await {
        Err(problem) => Link::Down(problem),
        Ok(aws) => match aws.sts.get_caller_identity().await {
            Err(error) => Link::Down(error.problem()),
            Ok(identity) => {
                world.identified.store(true, Ordering::Relaxed);
                Link::Up { account: identity.account, region: aws.region().to_string() }
            }
        },
    };
    let _ = world.inbox.send(Input::Msg(Msg::Connected(link)));
}

async fn ask(world: Arc<Reach>, ticket: Ticket, request: Request) -> Result<Reply, Problem> {
    if let Request::SavedQueries = request {
        return Ok(Reply::SavedQueries(session::saved_queries().await));
    }
    if let Request::ReadFile { path } = request {
        return session::read_file(&path).await.map(Reply::Text);
    }
    let aws = world.connection.aws().await?;
    let answer = answer(&world, &aws, ticket, request).await;
    // Credentials that were renewed outside are noticed by the first request that works again.
    if answer.is_ok() && !world.identified.load(Ordering::Relaxed) {
        tokio::spawn(identify(world).boxed());
    }
    answer
}

async fn answer(world: &Reach, aws: &Aws, ticket: Ticket, request: Request) -> Result<Reply, Problem> {
    let setup = &world.setup;
    Ok(match request {
        Request::Facilities { bucket, prefix } => {
            Reply::Facilities(Arc::new(facilities(world, aws, ticket, &bucket, &prefix).await?))
        }
        Request::Machines => Reply::Machines(aws.states.list_state_machines().await?),
        Request::Executions { machine_arn, status, token } => {
            let page = aws.states.list_executions(&machine_arn, status, token).await?;
            Reply::Executions { items: page.items, next: page.next }
        }
        Request::Execution { arn } => Reply::Execution(Box::new(aws.states.describe_execution(&arn).await?)),
        Request::Definition { machine_arn } => {
            Reply::Definition(aws.states.describe_state_machine(&machine_arn).await?)
        }
        Request::DefinitionOf { execution_arn } => {
            Reply::Definition(aws.states.describe_state_machine_for_execution(&execution_arn).await?)
        }
        Request::History { execution_arn } => {
            let mut events = Vec::new();
            let mut token = None;
            loop {
                let page = aws.states.get_execution_history(&execution_arn, false, token, 1000).await?;
                events.extend(page.items);
                token = page.next;
                if token.is_none() {
                    break Reply::History(events);
                }
            }
        }
        Request::StartExecution { machine_arn, name, input } => {
            Reply::Started(aws.states.start_execution(&machine_arn, name.as_deref(), &input).await?)
        }
        Request::StopExecution { arn, error, cause } => {
            aws.states.stop_execution(&arn, Some(&error), Some(&cause)).await?;
            Reply::Done
        }
        Request::RedriveExecution { arn } => {
            aws.states.redrive_execution(&arn).await?;
            Reply::Done
        }
        Request::Releases { machine_arn } => {
            let (versions, aliases) = aws.states.releases(&machine_arn).await?;
            Reply::Releases(versions, aliases)
        }
        Request::MapRun { arn } => Reply::MapRun(aws.states.describe_map_run(&arn).await?),
        Request::Express { machine_arn, minutes } => express(aws, &machine_arn, minutes).await?,
        Request::SendTaskSuccess { token, output } => {
            aws.states.send_task_success(&token, &output).await?;
            Reply::Done
        }
        Request::SendTaskFailure { token, error, cause } => {
            aws.states.send_task_failure(&token, &error, &cause).await?;
            Reply::Done
        }
        Request::Queries { token } => {
            let page = aws.athena.list_query_executions(Some(&setup.workgroup), token).await?;
            let mut items = aws.athena.batch_get_query_execution(&page.items).await?;
            items.sort_by_key(|query| std::cmp::Reverse(query.submitted));
            Reply::Queries { items, next: page.next }
        }
        Request::Query { id } => Reply::Query(Box::new(aws.athena.get_query_execution(&id).await?)),
        Request::StartQuery { sql } => {
            let start = Start {
                sql,
                database: Some(setup.database.clone()),
                workgroup: Some(setup.workgroup.clone()),
                output_location: Some(format!("s3://{}/athena-results/", setup.bucket)),
                token: Some(uuid::Uuid::new_v4().to_string()),
                ..Start::default()
            };
            Reply::Started(aws.athena.start_query_execution(&start).await?)
        }
        Request::StopQuery { id } => {
            aws.athena.stop_query_execution(&id).await?;
            Reply::Done
        }
        Request::Results { id, token } => {
            let page = aws.athena.get_query_results(&id, token).await?;
            Reply::Results { grid: page.grid, next: page.next }
        }
        Request::Tables => {
            let tables = aws.athena.list_table_metadata(&setup.database).await?;
            let tables = tables.into_iter().map(|table| Table { name: table.name, columns: table.columns });
            Reply::Tables(tables.collect())
        }
        Request::Lines { group, minutes, pattern } => {
            let since = Utc::now() - TimeDelta::minutes(minutes);
            let mut lines = Vec::new();
            let mut token = None;
            loop {
                let page = aws.logs.filter_log_events(&group, Some(since), pattern.as_deref(), token).await?;
                lines.extend(page.items);
                token = page.next;
                if token.is_none() || lines.len() > LINES {
                    break Reply::Lines(lines);
                }
            }
        }
        Request::LinesBetween { group, from, to, pattern } => {
            Reply::Lines(between(aws, &group, from, to, pattern.as_deref()).await?)
        }
        Request::Export { path, content } => export::export(path, content).await?,
        Request::SavedQueries | Request::ReadFile { .. } => Reply::SavedQueries(Vec::new()),
    })
}

/// Log lines of a stretch of time; as many as are worth showing.
async fn between(
    aws: &Aws,
    group: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    pattern: Option<&str>,
) -> Result<Vec<LogLine>, Problem> {
    let mut lines = Vec::new();
    let mut token = None;
    loop {
        let page = aws.logs.filter_log_events_between(group, (from, to), pattern, token).await?;
        lines.extend(page.items);
        token = page.next;
        if token.is_none() || lines.len() > LINES {
            return Ok(lines);
        }
    }
}

/// Express executions have no history: what they logged is all there is to see.
async fn express(aws: &Aws, machine_arn: &str, minutes: i64) -> Result<Reply, Problem> {
    let Some(group) = aws.states.describe_state_machine(machine_arn).await?.log_group else {
        return Ok(Reply::Express(None, Vec::new()));
    };
    let to = Utc::now() + TimeDelta::minutes(1);
    let lines = between(aws, &group, to - TimeDelta::minutes(minutes.max(0) + 1), to, None).await?;
    Ok(Reply::Express(Some(group), lines))
}

async fn facilities(
    world: &Reach,
    aws: &Aws,
    ticket: Ticket,
    bucket: &str,
    prefix: &str,
) -> Result<Facilities, Problem> {
    let inbox = world.inbox.clone();
    let told = AtomicU64::new(0);
    let progress = move |progress: load::Progress| {
        let (done, of) = (progress.done as u64, progress.of as u64);
        // A fact for each hundredth is as smooth as one for each object.
        let step = (of / 100).max(1);
        if done.is_multiple_of(step) && told.swap(done, Ordering::Relaxed) != done {
            let _ = inbox.send(Input::Msg(Msg::Progressed(ticket, done, of)));
        }
    };
    let loaded = load::facilities(aws, bucket, prefix, world.cache.as_ref(), progress).await?;
    Ok(Facilities { entries: loaded.facilities, problems: loaded.problems })
}

/// Hands a link to the desktop, where there is one.
async fn open_url(url: &str) -> Msg {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let command = tokio::process::Command::new(program)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .await;
    match command {
        Ok(status) if status.success() => Msg::Noted(format!("Opened {url}")),
        _ => Msg::Warned(Problem::new("No browser could be opened here").detail(url.to_string())),
    }
}
