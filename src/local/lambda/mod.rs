//! Lambda: functions, and their invocations in execution environments of their own.
//!
//! May use the store and the bus. `operations` and `policy` keep the functions, `function` is their
//! record, `fleet` says which environment runs an invocation, `environment` runs it: a child from the
//! `launcher`, fed through `runtime_api`, its lines in the `journal`. Start with [`Lambda::new`] and
//! [`launcher::Launcher`].

mod environment;
mod fleet;
mod function;
mod journal;
pub mod launcher;
mod operations;
mod policy;
mod runtime_api;

use std::sync::{Arc, Weak};

use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::fleet::Fleet;
use self::launcher::Launcher;
use super::bus::{Bus, Service};
use super::clock::Clock;
use super::fault::Fault;
use super::store::{Store, Table};

/// name -> [`function::Function`]
const FUNCTIONS: Table = "lambda.functions";
/// name -> the package, as it was uploaded
const PACKAGES: Table = "lambda.packages";
/// name -> [`policy`]'s record
const POLICIES: Table = "lambda.policies";

pub struct Lambda {
    store: Store,
    clock: Clock,
    region: String,
    bus: Weak<Bus>,
    fleet: Arc<Fleet>,
}

impl Lambda {
    pub fn new(bus: &Arc<Bus>, launcher: Arc<dyn Launcher>) -> Arc<Lambda> {
        Arc::new(Lambda {
            store: bus.store.clone(),
            clock: bus.clock.clone(),
            region: bus.region.clone(),
            bus: Arc::downgrade(bus),
            fleet: Fleet::new(bus, launcher),
        })
    }

    fn bus(&self) -> Result<Arc<Bus>, Fault> {
        self.bus.upgrade().ok_or_else(|| Fault::internal("the local cloud has stopped"))
    }
}

impl Service for Lambda {
    fn name(&self) -> &'static str {
        "lambda"
    }

    fn call<'a>(&'a self, operation: &'a str, input: Value) -> BoxFuture<'a, Result<Value, Fault>> {
        Box::pin(async move {
            match operation {
                "CreateFunction" => self.create_function(&input).await,
                "GetFunction" => self.get_function(&input),
                "GetFunctionConfiguration" => Ok(self.function(&input)?.describe(&self.region)),
                "ListFunctions" => self.list_functions(&input),
                "ListVersionsByFunction" => {
                    Ok(json!({ "Versions": [self.function(&input)?.describe(&self.region)] }))
                }
                "UpdateFunctionCode" => self.update_function_code(&input).await,
                "UpdateFunctionConfiguration" => {
                    let given = input.clone();
                    self.change(&input, None, move |function| function.configure(&given)).await
                }
                "DeleteFunction" => self.delete_function(&input).await,
                "AddPermission" => self.add_permission(&input).await,
                "RemovePermission" => self.remove_permission(&input).await,
                "GetPolicy" => self.get_policy(&input),
                "ListTags" => self.list_tags(&input),
                "TagResource" => self.tag_resource(&input).await,
                "UntagResource" => self.untag_resource(&input).await,
                "Invoke" => self.invoke(input).await,
                "InvokeAsync" => self.invoke_async(input).await,
                other => Err(Fault::new(
                    404,
                    "UnknownOperationException",
                    format!("The local cloud's Lambda has no operation {other}."),
                )),
            }
        })
    }

    fn busy(&self) -> bool {
        self.fleet.busy()
    }
}

fn text<'a>(input: &'a Value, member: &str) -> Result<&'a str, Fault> {
    input[member].as_str().ok_or_else(|| function::invalid(format!("{member} is missing")))
}

fn missing(region: &str, name: &str) -> Fault {
    let arn = function::arn(region, name);
    Fault::new(404, "ResourceNotFoundException", format!("Function not found: {arn}"))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|e| Fault::internal(format!("a record of Lambda is damaged: {e}")))
}

fn bytes<T: Serialize>(record: &T) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(record).map_err(|e| Fault::internal(format!("a record cannot be written: {e}")))
}
