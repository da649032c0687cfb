//! Connects the instances inside one process. With one instance, nothing is ever published.

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::{Broker, Delivered, InstanceId, Signal};

/// How many signals may wait for an instance. An instance that falls further behind is told that it has lost some.
const WAITING: usize = 1_024;

/// One instance's end of the broker.
#[derive(Debug)]
pub struct LocalBroker {
    instance: InstanceId,
    signals: broadcast::Sender<(InstanceId, Signal)>,
}

impl LocalBroker {
    /// Adds an instance.
    #[must_use]
    pub fn join(&self) -> Self {
        Self { instance: InstanceId::random(), signals: self.signals.clone() }
    }
}

impl Default for LocalBroker {
    /// A broker with one instance.
    fn default() -> Self {
        Self { instance: InstanceId::random(), signals: broadcast::Sender::new(WAITING) }
    }
}

impl Broker for LocalBroker {
    fn has_others(&self) -> bool {
        self.signals.receiver_count() > 1
    }

    fn publish(&self, signal: Signal) {
        // Without a receiver there is no one to tell.
        let _ = self.signals.send((self.instance, signal));
    }

    fn signals(&self) -> BoxStream<'static, Delivered> {
        let own = self.instance;
        stream::unfold(self.signals.subscribe(), move |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok((from, _)) if from == own => {}
                    Ok((from, signal)) => return Some((Delivered::Signal(from, signal), receiver)),
                    Err(RecvError::Lagged(_)) => return Some((Delivered::Lost, receiver)),
                    Err(RecvError::Closed) => return None,
                }
            }
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use caravana_protocol::GroupId;
    use futures::FutureExt as _;
    use uuid::Uuid;

    use super::*;

    fn hint(seq: u64) -> Signal {
        Signal::Hint(GroupId::new(Uuid::from_u128(1)), Some(seq))
    }

    #[tokio::test]
    async fn an_instance_gets_the_signals_of_the_others_and_not_its_own() {
        let one = LocalBroker::default();
        let mut of_one = one.signals();
        assert!(!one.has_others());
        let other = one.join();
        let mut of_other = other.signals();
        assert!(one.has_others() && other.has_others());
        one.publish(hint(1));
        assert_eq!(of_other.next().await, Some(Delivered::Signal(one.instance, hint(1))));
        assert_eq!(of_one.next().now_or_never(), None);
        drop(of_other);
        assert!(!one.has_others());
    }

    #[tokio::test]
    async fn an_instance_that_falls_behind_is_told_that_it_has_lost_some() {
        let one = LocalBroker::default();
        let mut of_other = one.join().signals();
        (0..=WAITING as u64).for_each(|seq| one.publish(hint(seq)));
        assert_eq!(of_other.next().await, Some(Delivered::Lost));
        assert_eq!(of_other.next().await, Some(Delivered::Signal(one.instance, hint(1))));
    }
}
