//! ARNs of Step Functions.

use super::super::bus::ACCOUNT;
use super::super::fault::Fault;

/// What an ARN names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arn {
    Machine {
        name: String,
        qualifier: Option<String>,
    },
    /// `machine:name`; the machine of a map run's child is `machine/label`.
    Execution(String),
    Express(String),
    Activity(String),
    MapRun(String),
}

/// Reads an ARN; the fault is AWS's.
pub fn read(arn: &str) -> Result<Arn, Fault> {
    let mut parts = arn.splitn(7, ':');
    let head = [parts.next(), parts.next(), parts.next()];
    let (Some("arn"), Some(partition), Some("states")) = (head[0], head[1], head[2]) else {
        return Err(invalid(format!("Invalid ARN prefix: {arn}")));
    };
    if !partition.starts_with("aws") {
        return Err(invalid(format!("Invalid ARN prefix: {arn}")));
    }
    let (Some(_), Some(_), Some(kind), Some(rest)) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(invalid(format!("Invalid ARN length: {arn}")));
    };
    let whole = || rest.to_owned();
    match kind {
        "stateMachine" => {
            let (name, qualifier) = match rest.split_once(':') {
                Some((name, qualifier)) => (name, Some(qualifier.to_owned())),
                None => (rest, None),
            };
            Ok(Arn::Machine { name: name.to_owned(), qualifier })
        }
        "execution" if rest.contains(':') => Ok(Arn::Execution(whole())),
        "express" => Ok(Arn::Express(whole())),
        "activity" => Ok(Arn::Activity(whole())),
        "mapRun" => Ok(Arn::MapRun(whole())),
        "execution" => Err(invalid(format!("Invalid ARN length: {arn}"))),
        other => Err(wrong(other)),
    }
}

fn invalid(why: String) -> Fault {
    Fault::client("InvalidArn", format!("Invalid Arn: '{why}'"))
}

fn wrong(kind: &str) -> Fault {
    invalid(format!("Resource type not valid in this context: {kind}"))
}

/// The key of a standard execution.
pub fn execution(arn: &str) -> Result<String, Fault> {
    match read(arn)? {
        Arn::Execution(key) => Ok(key),
        other => Err(wrong(other.kind())),
    }
}

/// The name and qualifier of a state machine, version or alias.
pub fn machine(arn: &str) -> Result<(String, Option<String>), Fault> {
    match read(arn)? {
        Arn::Machine { name, qualifier } => Ok((name, qualifier)),
        other => Err(wrong(other.kind())),
    }
}

impl Arn {
    fn kind(&self) -> &'static str {
        match self {
            Arn::Machine { .. } => "stateMachine",
            Arn::Execution(_) => "execution",
            Arn::Express(_) => "express",
            Arn::Activity(_) => "activity",
            Arn::MapRun(_) => "mapRun",
        }
    }
}

pub fn of_machine(region: &str, name: &str) -> String {
    format!("arn:aws:states:{region}:{ACCOUNT}:stateMachine:{name}")
}

pub fn of_execution(region: &str, key: &str) -> String {
    format!("arn:aws:states:{region}:{ACCOUNT}:execution:{key}")
}

pub fn of_express(region: &str, key: &str) -> String {
    format!("arn:aws:states:{region}:{ACCOUNT}:express:{key}")
}

pub fn of_version(region: &str, name: &str, number: u64) -> String {
    format!("{}:{number}", of_machine(region, name))
}

pub fn of_activity(region: &str, name: &str) -> String {
    format!("arn:aws:states:{region}:{ACCOUNT}:activity:{name}")
}

/// The key of a map run: `machine/label:uuid`.
pub fn of_map_run(region: &str, key: &str) -> String {
    format!("arn:aws:states:{region}:{ACCOUNT}:mapRun:{key}")
}

/// The key of a map run.
pub fn map_run(arn: &str) -> Result<String, Fault> {
    match read(arn)? {
        Arn::MapRun(key) => Ok(key),
        other => Err(wrong(other.kind())),
    }
}

/// The name of an activity.
pub fn activity(arn: &str) -> Result<String, Fault> {
    match read(arn)? {
        Arn::Activity(name) => Ok(name),
        other => Err(wrong(other.kind())),
    }
}
