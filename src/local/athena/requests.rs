//! Inputs of operations, as the API shapes them.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Start {
    pub query_string: String,
    pub client_request_token: Option<String>,
    pub query_execution_context: Option<Context>,
    pub result_configuration: Option<ResultConfiguration>,
    pub work_group: Option<String>,
    pub execution_parameters: Option<Vec<String>>,
    pub result_reuse_configuration: Option<Reuse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Reuse {
    pub result_reuse_by_age_configuration: Option<ByAge>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ByAge {
    pub enabled: bool,
    pub max_age_in_minutes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Context {
    pub database: Option<String>,
    pub catalog: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResultConfiguration {
    pub output_location: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct One {
    pub query_execution_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Several {
    pub query_execution_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct List {
    pub work_group: Option<String>,
    pub next_token: Option<String>,
    pub max_results: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Results {
    pub query_execution_id: String,
    pub next_token: Option<String>,
    pub max_results: Option<usize>,
}
