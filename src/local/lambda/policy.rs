//! Who may invoke a function, and its tags. Kept and told, not enforced: locally everybody may.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::function::{arn, invalid, name};
use super::{Lambda, POLICIES, bytes, read, text};
use crate::local::fault::Fault;

#[derive(Clone, Default, Serialize, Deserialize)]
struct Policy {
    revision: String,
    statements: Vec<Value>,
}

fn no_policy() -> Fault {
    Fault::new(404, "ResourceNotFoundException", "The resource you requested does not exist.")
}

impl Lambda {
    pub(super) async fn add_permission(&self, input: &Value) -> Result<Value, Fault> {
        let name = self.function(input)?.name;
        let id = text(input, "StatementId")?.to_owned();
        let principal = match text(input, "Principal")? {
            "*" => json!("*"),
            service if service.contains(".amazonaws.com") => json!({ "Service": service }),
            account => json!({ "AWS": account }),
        };
        let mut statement = json!({
            "Sid": id,
            "Effect": "Allow",
            "Principal": principal,
            "Action": text(input, "Action")?,
            "Resource": arn(&self.region, &name),
        });
        if let Some(account) = input["SourceAccount"].as_str() {
            statement["Condition"]["StringEquals"]["AWS:SourceAccount"] = account.into();
        }
        if let Some(source) = input["SourceArn"].as_str() {
            statement["Condition"]["ArnLike"]["AWS:SourceArn"] = source.into();
        }
        let answer = json!({ "Statement": statement.to_string() });
        self.store
            .transact(move |tx| {
                let mut policy: Policy = match tx.get(POLICIES, &name)? {
                    Some(policy) => read(&policy)?,
                    None => Policy::default(),
                };
                if policy.statements.iter().any(|statement| statement["Sid"] == *id) {
                    return Err(Fault::new(
                        409,
                        "ResourceConflictException",
                        format!(
                            "The statement id ({id}) provided already exists. Please provide a new statement id, \
                             or remove the existing statement."
                        ),
                    )
                    );
                }
                policy.statements.push(statement);
                policy.revision = Uuid::new_v4().to_string();
                tx.put(POLICIES, name, bytes(&policy)?);
                Ok(answer)
            })
            .await
    }

    pub(super) async fn remove_permission(&self, input: &Value) -> Result<Value, Fault> {
        let name = self.function(input)?.name;
        let id = text(input, "StatementId")?.to_owned();
        self.store
            .transact(move |tx| {
                let mut policy: Policy = read(&tx.get(POLICIES, &name)?.ok_or_else(no_policy)?)?;
                let before = policy.statements.len();
                policy.statements.retain(|statement| statement["Sid"] != *id);
                if policy.statements.len() == before {
                    return Err(no_policy());
                }
                policy.revision = Uuid::new_v4().to_string();
                match policy.statements.is_empty() {
                    true => tx.delete(POLICIES, name),
                    false => tx.put(POLICIES, name, bytes(&policy)?),
                }
                Ok(json!({}))
            })
            .await
    }

    pub(super) fn get_policy(&self, input: &Value) -> Result<Value, Fault> {
        let name = self.function(input)?.name;
        let policy: Policy = read(&self.store.get(POLICIES, &name)?.ok_or_else(no_policy)?)?;
        let document = json!({ "Version": "2012-10-17", "Id": "default", "Statement": policy.statements });
        Ok(json!({ "Policy": document.to_string(), "RevisionId": policy.revision }))
    }

    /// The function that a tag operation's `Resource` names, as an input of the others.
    fn resource(input: &Value) -> Result<Value, Fault> {
        Ok(json!({ "FunctionName": name(text(input, "Resource")?)? }))
    }

    pub(super) fn list_tags(&self, input: &Value) -> Result<Value, Fault> {
        Ok(json!({ "Tags": self.function(&Self::resource(input)?)?.tags }))
    }

    pub(super) async fn tag_resource(&self, input: &Value) -> Result<Value, Fault> {
        let tags = input["Tags"].as_object().cloned().ok_or_else(|| invalid("Tags is missing"))?;
        let resource = Self::resource(input)?;
        let change = self.change(&resource, None, move |function| {
            let texts =
                tags.into_iter().map(|(tag, value)| (tag, value.as_str().unwrap_or_default().to_owned()));
            function.tags.extend(texts);
            Ok(())
        });
        change.await.map(|_| json!({}))
    }

    pub(super) async fn untag_resource(&self, input: &Value) -> Result<Value, Fault> {
        let keys = input.get("TagKeys").or_else(|| input.get("tagKeys")).cloned().unwrap_or_default();
        let resource = Self::resource(input)?;
        let change = self.change(&resource, None, move |function| {
            function.tags.retain(|tag, _| match &keys {
                Value::Array(keys) => !keys.iter().any(|key| key == tag),
                key => key != tag,
            });
            Ok(())
        });
        change.await.map(|_| json!({}))
    }
}
