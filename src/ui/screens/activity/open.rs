//! What a row leads to, and what can be copied of it.

use crate::domain::invocation::Subject;
use crate::ui::effect::{Effect, Wish};
use crate::ui::overlays::pick::{Item, Pick, Question};
use crate::ui::route::{Route, Screen};
use crate::ui::screens::activity::{Model, Section, feed};
use crate::ui::world::World;

fn said(text: &str) -> Vec<Wish> {
    vec![Wish::Say(text.to_owned())]
}

fn execution(arn: &str) -> Vec<Wish> {
    vec![Wish::Open(Route::new(Screen::Workflows).object(arn))]
}

/// The facility whose record an object is.
fn facility(world: &World, key: &str) -> Option<Vec<Wish>> {
    let all = world.facilities.value()?;
    let (_, facility) = all.entries.iter().find(|(object, _)| object.key == key)?;
    Some(vec![Wish::Open(Route::new(Screen::Facilities).object(facility.facility_id.clone()))])
}

/// What the selected line of the log leads to: the execution it names, or that its invocation worked for;
/// the query; the facility.
pub fn from_log(model: &Model, world: &World) -> Vec<Wish> {
    let Some(entry) = model.selected(Section::Log).and_then(|index| model.feed.entries.get(index)) else {
        return Vec::new();
    };
    if let Some(arn) = entry.execution() {
        return execution(arn);
    }
    if let Some(id) = entry.field("query_execution_id") {
        return vec![Wish::Open(Route::new(Screen::Queries).object(id))];
    }
    if let Some(found) = entry.field("key").and_then(|key| facility(world, key)) {
        return found;
    }
    match model.feed.invocation_of(entry).and_then(|one| one.subject.as_ref()) {
        Some(Subject::Execution(arn)) => execution(arn),
        Some(Subject::Object(key)) => {
            facility(world, key).unwrap_or_else(|| said("No facility was read from that object"))
        }
        None => said("This line names no execution, query or object"),
    }
}

pub fn from_objects(model: &Model, world: &World) -> Vec<Wish> {
    let Some(object) = model.selected(Section::Objects).and_then(|index| model.feed.objects.get(index))
    else {
        return Vec::new();
    };
    facility(world, &object.key)
        .unwrap_or_else(|| said("No facility was read from this object; ! tells of records that are wrong"))
}

pub fn from_notifications(model: &Model) -> Vec<Wish> {
    let index = model.selected(Section::Notifications);
    let Some(one) = index.and_then(|index| model.feed.notifications.get(index)) else { return Vec::new() };
    match one.message.as_deref().and_then(crate::domain::invocation::execution_in) {
        Some(arn) => execution(arn),
        None => said("This notification names no execution"),
    }
}

/// Everything of the selected row that somebody may want elsewhere, the usual first.
fn items(model: &Model, world: &World) -> Vec<Item> {
    let Some(index) = model.selected(model.section) else { return Vec::new() };
    let feed = &model.feed;
    let region = &world.setup.region;
    let group = feed::log_group(world);
    let filter = |request: &str| {
        format!(
            "aws logs filter-log-events --region {region} --log-group-name {group} --filter-pattern '\"{request}\"'"
        )
    };
    let mut items = Vec::new();
    let mut item = |value: String, label: &str| items.push(Item::new(value, label, ""));
    match model.section {
        Section::Invocations => {
            let Some(one) = feed.invocations.get(index) else { return Vec::new() };
            item(one.request.clone(), "Request id");
            match &one.subject {
                Some(Subject::Execution(arn)) => item(arn.clone(), "Execution ARN"),
                Some(Subject::Object(key)) => item(key.clone(), "Object key"),
                None => {}
            }
            item(filter(&one.request), "AWS CLI command for its log");
        }
        Section::Objects => {
            let Some(object) = feed.objects.get(index) else { return Vec::new() };
            let uri = format!("s3://{}/{}", world.setup.bucket, object.key);
            item(uri.clone(), "S3 URI");
            item(object.key.clone(), "Key");
            item(format!("aws s3 cp --region {region} '{uri}' -"), "AWS CLI command that prints it");
        }
        Section::Notifications => {
            let Some(one) = feed.notifications.get(index) else { return Vec::new() };
            for (value, label) in
                [(&one.message, "Message"), (&one.subject, "Subject"), (&one.message_id, "Message id")]
            {
                if let Some(value) = value {
                    item(value.clone(), label);
                }
            }
        }
        Section::Log => {
            let Some(entry) = feed.entries.get(index) else { return Vec::new() };
            item(entry.line.text.clone(), "Line");
            if let Some(request) = &entry.request {
                item(request.clone(), "Request id");
                item(filter(request), "AWS CLI command for this invocation");
            }
            if let Some(arn) = entry.execution() {
                item(arn.to_owned(), "Execution ARN");
            }
        }
    }
    items
}

pub fn copy(model: &Model, world: &World) -> Vec<Wish> {
    items(model, world).into_iter().take(1).map(|item| Wish::Do(Effect::Copy(item.value))).collect()
}

pub fn copy_more(model: &Model, world: &World) -> Vec<Wish> {
    let items = items(model, world);
    if items.is_empty() {
        return Vec::new();
    }
    vec![Wish::Pick(Pick::among("Copy", Question::CopyMore, items))]
}

/// The AWS web console's page.
pub fn browse(model: &Model, world: &World) -> Vec<Wish> {
    if world.setup.local {
        return said("The local cloud has no web console");
    }
    let region = &world.setup.region;
    let host = format!("https://{region}.console.aws.amazon.com");
    let url = match model.section {
        Section::Objects => {
            let (bucket, prefix) = (&world.setup.bucket, &world.setup.prefix);
            format!("{host}/s3/buckets/{bucket}?region={region}&prefix={prefix}")
        }
        Section::Notifications => format!("{host}/sns/v3/home?region={region}#/topics"),
        Section::Invocations | Section::Log => {
            // The console's own spelling of a slash in a fragment.
            let group = feed::log_group(world).replace('/', "$252F");
            format!("{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}")
        }
    };
    vec![Wish::Do(Effect::OpenUrl(url))]
}
