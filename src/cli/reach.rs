//! From settings to clients: attaches to the local cloud, starts an ephemeral one, or goes to AWS.

#[cfg(feature = "local")]
use std::sync::{Arc, Mutex, PoisonError};

use crate::aws::{self, Aws, Permit};
use crate::domain::problem::Problem;
use crate::runtime::Tell;
use crate::settings::{Settings, Target};

/// A connection, and what this process keeps alive for it.
pub struct Reached {
    pub aws: Aws,
    kept: Kept,
}

/// What has to live as long as the connection.
enum Kept {
    Nothing,
    /// The shared local cloud stays while somebody holds it.
    #[cfg(feature = "local")]
    Shared(Held),
    /// A local cloud of this process alone.
    #[cfg(feature = "local")]
    Own(crate::local::Cloud),
}

/// The shared local cloud as it was attached to last.
#[cfg(feature = "local")]
type Held = Arc<Mutex<crate::local::attach::Attached>>;

impl Reached {
    /// Clients of a cloud in this process.
    #[cfg(feature = "local")]
    pub fn serving(aws: Aws, cloud: crate::local::Cloud) -> Reached {
        Reached { aws, kept: Kept::Own(cloud) }
    }

    /// Lets go of the shared cloud, and stops one of this process in order.
    pub async fn close(self) {
        match self.kept {
            Kept::Nothing => {}
            #[cfg(feature = "local")]
            Kept::Shared(held) => drop(held),
            #[cfg(feature = "local")]
            Kept::Own(cloud) => cloud.stop().await,
        }
    }
}

/// What the settings' target is reached by. `tell` hears what a person should know of it, now and later.
pub async fn reach(settings: &Settings, tell: Tell) -> Result<Reached, Problem> {
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
        Target::Local { .. } => local(settings, permit, tell).await,
    }
}

fn plain(aws: Aws) -> Reached {
    Reached { aws, kept: Kept::Nothing }
}

#[cfg(not(feature = "local"))]
async fn local(_: &Settings, _: Permit, _: Tell) -> Result<Reached, Problem> {
    Err(Problem::new("This build has no local cloud")
        .detail("It was built without the feature `local`.")
        .hint("Name a target: --profile NAME or --endpoint-url URL"))
}

#[cfg(feature = "local")]
async fn local(settings: &Settings, permit: Permit, tell: Tell) -> Result<Reached, Problem> {
    use super::cloud;
    use crate::local::clock::Clock;

    if settings.ephemeral {
        let cloud = cloud::open(settings, None, 0, Clock::default()).await?;
        cloud::fill(settings, &cloud).await?;
        let endpoint = cloud.endpoint().clone();
        let target = aws::Target::Local { url: endpoint.url, region: endpoint.region };
        return Ok(Reached { aws: aws::connect(&target, permit).await, kept: Kept::Own(cloud) });
    }
    let attached = cloud::attach(settings, |_| {}).await?;
    if let Some(news) = cloud::news(&attached.taken_up) {
        tell(news);
    }
    let endpoint = attached.endpoint.clone();
    let held: Held = Arc::new(Mutex::new(attached));
    let road = aws::Road::new(endpoint.url, rejoin(settings.clone(), held.clone(), tell));
    Ok(Reached { aws: aws::connect_by(&road, endpoint.region, permit), kept: Kept::Shared(held) })
}

/// Attaches to the local cloud anew, which starts it if nobody serves, and says so.
#[cfg(feature = "local")]
fn rejoin(settings: Settings, held: Held, tell: Tell) -> aws::road::Rejoin {
    use super::cloud;
    use futures::FutureExt;

    Arc::new(move || {
        let (settings, held, tell) = (settings.clone(), held.clone(), tell.clone());
        let again = async move {
            let attached = cloud::attach(&settings, |_| {}).await?;
            let url = attached.endpoint.url.clone();
            let taken_up = attached.taken_up.clone();
            let before =
                std::mem::replace(&mut *held.lock().unwrap_or_else(PoisonError::into_inner), attached);
            if before.endpoint.url != url {
                tell(cloud::back(&taken_up));
            }
            Ok(url)
        };
        again.boxed()
    })
}
