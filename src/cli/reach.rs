//! From settings to clients: attaches to the local cloud, starts an ephemeral one, or goes to AWS.

use crate::aws::{self, Aws, Permit};
use crate::domain::problem::Problem;
use crate::settings::{Settings, Target};

/// A connection, and what this process keeps alive for it.
pub struct Reached {
    pub aws: Aws,
    /// What a person should know of it: that something was interrupted and goes on.
    pub news: Option<Problem>,
    kept: Kept,
}

/// What has to live as long as the connection.
enum Kept {
    Nothing,
    /// The shared local cloud stays while somebody holds it.
    #[cfg(feature = "local")]
    Shared(crate::local::attach::Attached),
    /// A local cloud of this process alone.
    #[cfg(feature = "local")]
    Own(crate::local::Cloud),
}

impl Reached {
    /// Clients of a cloud in this process.
    #[cfg(feature = "local")]
    pub fn serving(aws: Aws, cloud: crate::local::Cloud) -> Reached {
        Reached { aws, news: None, kept: Kept::Own(cloud) }
    }

    /// Lets go of the shared cloud, and stops one of this process in order.
    pub async fn close(self) {
        match self.kept {
            Kept::Nothing => {}
            #[cfg(feature = "local")]
            Kept::Shared(attached) => drop(attached),
            #[cfg(feature = "local")]
            Kept::Own(cloud) => cloud.stop().await,
        }
    }
}

/// What the settings' target is reached by.
pub async fn reach(settings: &Settings) -> Result<Reached, Problem> {
    let permit = if settings.read_only { Permit::ReadOnly } else { Permit::ReadWrite };
    match &settings.target {
        Target::Aws { profile, region } => {
            let target = aws::Target::Aws { profile: profile.clone(), region: region.clone() };
            Ok(plain(aws::connect(&target, permit).await))
        }
        Target::Endpoint { url, region, profile } => {
            let target =
                aws::Target::Endpoint { url: url.clone(), region: region.clone(), profile: profile.clone() };
            Ok(plain(aws::connect(&target, permit).await))
        }
        Target::Local { .. } => local(settings, permit).await,
    }
}

fn plain(aws: Aws) -> Reached {
    Reached { aws, news: None, kept: Kept::Nothing }
}

#[cfg(not(feature = "local"))]
async fn local(_: &Settings, _: Permit) -> Result<Reached, Problem> {
    Err(Problem::new("This build has no local cloud")
        .detail("It was built without the feature `local`.")
        .hint("Name a target: --profile NAME or --endpoint-url URL"))
}

#[cfg(feature = "local")]
async fn local(settings: &Settings, permit: Permit) -> Result<Reached, Problem> {
    use super::cloud;
    use crate::local::clock::Clock;

    let (endpoint, news, kept) = if settings.ephemeral {
        let cloud = cloud::open(settings, None, 0, Clock::default()).await?;
        cloud::fill(settings, &cloud).await?;
        (cloud.endpoint().clone(), None, Kept::Own(cloud))
    } else {
        let attached = cloud::attach(settings, |_| {}).await?;
        (attached.endpoint.clone(), cloud::news(&attached.taken_up), Kept::Shared(attached))
    };
    let target = aws::Target::Local { url: endpoint.url, region: endpoint.region };
    Ok(Reached { aws: aws::connect(&target, permit).await, news, kept })
}
