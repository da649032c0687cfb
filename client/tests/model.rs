//! Random schedules of faults against a model: the server's own log (G4, G5, G15, G18).

use std::collections::{BTreeMap, BTreeSet};

use caravana_client::testing::{Answer, Door, Simulation, ana, group, id, me};
use caravana_client::{HistoryPage, Input, LinkState, SendState};
use caravana_protocol::{CloseReason, Cursor, ErrorCode, MessageId, ServerFrame};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Post,
    Send,
    Edit(usize),
    Delete(usize),
    /// The user changes one of their own messages.
    Change(usize, bool),
    NextChange(Answer),
    Admit,
    Repeat(usize),
    LoseEvents(usize),
    NextSend(Answer),
    Close(CloseReason),
    Cut,
    Network(bool),
    Visible,
    RetryNow,
    Refuse,
    Accept,
    IgnoreSubscribes(bool),
    Rest(bool),
    HoldPages,
    ReleasePages,
    Load(HistoryPage),
    Older,
    Newer,
    Reload,
    RestoreHistory(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let reason = prop_oneof![
        Just(CloseReason::Abnormal),
        Just(CloseReason::TooSlow),
        Just(CloseReason::Restart),
        Just(CloseReason::TokenExpired),
    ];
    let answer = prop_oneof![
        Just(Answer::Lost),
        Just(Answer::Swallowed),
        Just(Answer::Unanswered),
        (0_u64..5_000).prop_map(|wait| Answer::Refused(ErrorCode::RateLimited, Some(wait))),
        Just(Answer::Refused(ErrorCode::TemporarilyUnavailable, None)),
    ];
    let page = prop_oneof![Just(HistoryPage::Latest), (1_u64..40).prop_map(HistoryPage::Around)];
    prop_oneof![
        8 => Just(Step::Post),
        8 => Just(Step::Send),
        3 => (0_usize..40).prop_map(Step::Edit),
        3 => (0_usize..40).prop_map(Step::Delete),
        4 => (0_usize..20, prop::bool::weighted(0.7)).prop_map(|(at, edits)| Step::Change(at, edits)),
        3 => answer.clone().prop_map(Step::NextChange),
        1 => Just(Step::Admit),
        2 => (0_usize..40).prop_map(Step::Repeat),
        3 => (1_usize..4).prop_map(Step::LoseEvents),
        3 => answer.prop_map(Step::NextSend),
        3 => reason.prop_map(Step::Close),
        1 => Just(Step::Cut),
        2 => any::<bool>().prop_map(Step::Network),
        1 => Just(Step::Visible),
        1 => Just(Step::RetryNow),
        1 => Just(Step::Refuse),
        1 => Just(Step::Accept),
        2 => any::<bool>().prop_map(Step::IgnoreSubscribes),
        1 => any::<bool>().prop_map(Step::Rest),
        2 => Just(Step::HoldPages),
        2 => Just(Step::ReleasePages),
        2 => page.prop_map(Step::Load),
        2 => Just(Step::Older),
        2 => Just(Step::Newer),
        1 => Just(Step::Reload),
        1 => (0_usize..4).prop_map(Step::RestoreHistory),
        6 => (1_u64..40_000).prop_map(Step::Pass),
    ]
}

/// The simulation, and what the test knows about it.
struct Run {
    sim: Simulation,
    sent: Vec<String>,
    /// The last thing that the person wanted for each of their own messages: a text, or that it is deleted.
    wanted: BTreeMap<MessageId, Option<String>>,
    /// Messages that the server changed on its own.
    meddled: BTreeSet<MessageId>,
    changes: usize,
    restored: bool,
    cursor: Option<Cursor>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut sim = Simulation::new(seed);
        sim.server.depth = 20;
        sim.session = small(seed);
        sim.give(Input::Start);
        sim.give(open());
        let (wanted, meddled) = (BTreeMap::new(), BTreeSet::new());
        Self { sim, sent: Vec::new(), wanted, meddled, changes: 0, restored: false, cursor: None }
    }

    fn take(&mut self, step: Step) {
        if let Step::Change(at, edits) = step {
            self.change(at, edits);
        }
        let sim = &mut self.sim;
        let message = |sim: &Simulation, at: usize| sim.server.page_of_all().messages.get(at).map(|message| message.id);
        match step {
            Step::Post => drop(sim.server.post(ana(), &format!("de Ana {}", sim.server.head()))),
            Step::Send => {
                let text = format!("mío {}", self.sent.len());
                sim.send(id(self.sent.len() as u128 + 1), &text);
                self.sent.push(text);
            }
            Step::Edit(at) => {
                if let Some(id) = message(sim, at) {
                    self.meddled.insert(id);
                    let text = format!("{} editado {}", sim.server.texts()[at], sim.server.head());
                    sim.server.edit(id, &text);
                }
            }
            Step::Delete(at) => {
                if let Some(id) = message(sim, at) {
                    self.meddled.insert(id);
                    sim.server.delete(id);
                }
            }
            Step::Change(..) => {}
            Step::NextChange(answer) => sim.server.change_answers.push_back(answer),
            Step::Admit => sim.server.admit(ana()),
            Step::Repeat(at) => {
                if let Some(event) = sim.server.log.get(at).cloned() {
                    sim.server.say(ServerFrame::Event(event));
                }
            }
            Step::LoseEvents(count) => sim.server.lose_events = count,
            Step::NextSend(answer) => sim.server.answers.push_back(answer),
            Step::Close(reason) => sim.close(reason),
            Step::Cut => sim.cut = true,
            Step::Network(true) => sim.give(Input::NetworkUp),
            Step::Network(false) => sim.give(Input::NetworkDown),
            Step::Visible => sim.give(Input::PageVisible),
            Step::RetryNow => sim.give(Input::RetryNow),
            Step::Refuse => sim.door = Door::Refused,
            Step::Accept => sim.door = Door::Open,
            Step::IgnoreSubscribes(on) => sim.server.ignores_subscribes = on,
            Step::Rest(on) => sim.rest = on,
            Step::HoldPages => sim.hold_pages = true,
            Step::ReleasePages => sim.release_pages(),
            Step::Load(page) => sim.give(Input::Load { group: group(), page }),
            Step::Older => load(sim, |sim| sim.group().timeline().older_page()),
            Step::Newer => load(sim, |sim| sim.group().timeline().newer_page()),
            Step::Reload => {
                sim.reload();
                let stored = sim.stored.values().cloned().collect();
                sim.session = small(5);
                sim.session.restore(stored);
                sim.give(open());
                sim.give(Input::Start);
                self.cursor = None;
            }
            Step::RestoreHistory(lost) => {
                sim.server.restore(lost);
                sim.close(CloseReason::Restart);
                self.restored = true;
            }
            Step::Pass(ms) => sim.pass(ms),
        }
        sim.work();
        self.look();
    }

    /// The person changes their own message, stored or not.
    fn change(&mut self, at: usize, edits: bool) {
        let id = id(at as u128 + 1);
        if at >= self.sent.len() || self.wanted.get(&id) == Some(&None) {
            return;
        }
        if edits {
            let text = format!("mío {at} cambiado {}", self.changes);
            self.changes += 1;
            self.sim.edit(id, &text);
            self.wanted.insert(id, Some(text));
        } else {
            self.sim.delete(id);
            self.wanted.insert(id, None);
        }
    }

    /// Checks what must hold at every moment.
    fn look(&mut self) {
        let group = self.sim.group();
        let mut keys = BTreeSet::new();
        assert!(group.items().all(|item| keys.insert(item.key())), "a line is there twice");
        let cursor = group.timeline().cursor();
        if let (Some(before), Some(now)) = (self.cursor, cursor) {
            assert!(before.epoch != now.epoch || before.seq <= now.seq, "the cursor went back");
        }
        self.cursor = cursor.or(self.cursor);
        let under_way = group.outbox().entries().filter(|entry| entry.state == SendState::Sending).count();
        assert!(under_way <= 1, "order is lost");
    }

    /// Repairs everything. Then the screen must show the log.
    fn judge(mut self) {
        let sim = &mut self.sim;
        sim.server.answers.clear();
        sim.server.change_answers.clear();
        (sim.server.lose_events, sim.server.ignores_subscribes) = (0, false);
        (sim.door, sim.rest) = (Door::Open, true);
        sim.release_pages();
        sim.give(Input::NetworkUp);
        sim.pass(120_000);
        assert_eq!(sim.session.link(), LinkState::Online);
        // Intents without an answer are tried again. Those that were refused because others had changed the message are
        // discarded.
        for again in [true, false] {
            let failed = sim.group().outbox().entries().map(|intent| (intent.id, intent.state)).collect::<Vec<_>>();
            for (id, state) in failed {
                let never_answered = matches!(state, SendState::Failed { code: None, .. });
                let (retry, discard) = (Input::Retry { group: group(), id }, Input::Discard { group: group(), id });
                sim.give(if again && never_answered { retry } else { discard });
            }
            sim.pass(120_000);
        }
        assert!(sim.group().outbox().is_empty(), "not sent: {:?}", sim.group().outbox());
        assert!(sim.stored.is_empty());
        while sim.group().timeline().has_more_after() {
            load(sim, |sim| sim.group().timeline().newer_page());
        }
        while sim.group().timeline().has_more_before() {
            load(sim, |sim| sim.group().timeline().older_page());
        }
        let shown: Vec<String> = sim.screen().into_iter().filter(|text| text != "·").collect();
        assert_eq!(shown, sim.server.texts(), "the screen is not the log");
        let cursor = Cursor { epoch: sim.server.epoch, seq: sim.server.head() };
        assert_eq!(sim.group().timeline().cursor(), Some(cursor));
        if !self.restored {
            let own = sim.server.page_of_all().messages.into_iter().filter(|message| message.user_id == Some(me()));
            let own: Vec<u128> = own.map(|message| message.id.uuid().as_u128()).collect();
            let written: Vec<u128> = (1..=self.sent.len() as u128).collect();
            assert_eq!(own, written, "what was written is not there once and in order");
            for message in sim.server.page_of_all().messages {
                let wanted = self.wanted.get(&message.id).filter(|_| !self.meddled.contains(&message.id));
                if let Some(wanted) = wanted {
                    let is = message.status.then_some(message.content.body);
                    assert_eq!(is, *wanted, "what was wanted last of {} is not so", message.id);
                }
            }
        }
    }
}

fn small(seed: u64) -> caravana_client::Session {
    let config = caravana_client::Config { page_size: 8, ..caravana_client::Config::new(me()) };
    caravana_client::Session::new(config, seed)
}

fn open() -> Input {
    Input::OpenGroup { group: group(), page: None, last_read: None }
}

fn load(sim: &mut Simulation, which: impl Fn(&Simulation) -> Option<HistoryPage>) {
    if let Some(page) = which(sim) {
        sim.give(Input::Load { group: group(), page });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_screen_is_the_log_in_the_end(
        seed: u64,
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let mut run = Run::new(seed);
        for step in steps {
            run.take(step);
        }
        run.judge();
    }
}
