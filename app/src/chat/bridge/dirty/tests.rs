use caravana_client::RowKey;
use caravana_protocol::MessageId;
use uuid::Uuid;

use super::*;

fn group(number: u128) -> GroupId {
    GroupId::new(Uuid::from_u128(number))
}

fn noted(changes: &[Change]) -> Dirty {
    let mut dirty = Dirty::default();
    for change in changes {
        dirty.note(change, Some(group(1)));
    }
    dirty
}

fn timeline(number: u128, what: TimelineChange) -> Change {
    Change::Timeline { group: group(number), what }
}

#[test]
fn somebody_who_types_touches_no_row_but_that_of_the_list() {
    let dirty = noted(&[Change::Typing { group: group(1) }, Change::Link]);
    assert!(matches!(dirty.log, LogChange::None) && !dirty.rows && !dirty.list);
    assert_eq!(dirty.listed, BTreeSet::from([group(1)]));
}

#[test]
fn a_message_of_another_group_touches_its_row_of_the_list_alone() {
    let key = RowKey::Message(MessageId::new(Uuid::from_u128(7)));
    let dirty = noted(&[timeline(2, TimelineChange::Inserted(vec![key])), Change::Outbox { group: group(2) }]);
    assert_eq!(dirty.listed, BTreeSet::from([group(2)]));
    assert!(matches!(dirty.log, LogChange::None) && !dirty.rows && !dirty.list);
}

#[test]
fn what_somebody_has_read_is_looked_at_without_the_rows() {
    let dirty = noted(&[Change::Reads { group: group(1) }]);
    assert!(dirty.reads && !dirty.rows && dirty.listed == BTreeSet::from([group(1)]));
    assert!(!noted(&[Change::Reads { group: group(2) }]).reads);
}

#[test]
fn the_keys_that_changed_are_those_that_are_looked_at_unless_all_are() {
    let keys = |from: u64| vec![RowKey::Event(from), RowKey::Event(from + 1)];
    let changes = [
        timeline(1, TimelineChange::Inserted(keys(1))),
        timeline(1, TimelineChange::Inserted(keys(3))),
        timeline(1, TimelineChange::Updated(keys(5))),
        timeline(1, TimelineChange::Removed(keys(1))),
    ];
    let LogChange::Items(items) = noted(&changes).log else { panic!("items") };
    assert_eq!((items.inserted.len(), items.updated.len(), items.removed.len()), (4, 2, 2));
    assert!(items.updated.contains(&ItemKey::Event(6)));
    let dirty = noted(&[&changes[..], &[timeline(1, TimelineChange::Reset)], &changes[..1]].concat());
    assert!(matches!(dirty.log, LogChange::All));
}

#[test]
fn one_pass_is_asked_for_until_it_has_begun() {
    let mut dirty = Dirty::default();
    assert!(dirty.ask() && !dirty.ask());
    assert!(std::mem::take(&mut dirty).due && dirty.ask());
}
