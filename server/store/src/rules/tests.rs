use Role::{Admin, Member, Owner};

use super::*;

const ROLES: [Role; 3] = [Member, Admin, Owner];

fn is_forbidden<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Forbidden))
}

fn request(actor: Role, user: Option<Role>, role: Role) -> RoleRequest {
    RoleRequest { actor, user, is_own: false, is_guest: false, role }
}

#[test]
fn only_an_owner_gives_roles() {
    for role in ROLES {
        for user in [None, Some(Member), Some(Admin), Some(Owner)] {
            assert!(is_forbidden(&role_change(request(Member, user, role))));
            assert!(is_forbidden(&role_change(request(Admin, user, role))));
        }
        let given = role_change(request(Owner, Some(Member), role)).unwrap();
        assert_eq!(given, if role == Owner { RoleChange::HandedOver } else { RoleChange::Given });
    }
}

#[test]
fn somebody_who_is_no_member_gets_no_role() {
    for role in ROLES {
        assert!(matches!(role_change(request(Owner, None, role)), Err(StoreError::NotFound)));
    }
}

#[test]
fn an_owner_stays_one_until_the_group_is_handed_over() {
    let own = |role| role_change(RoleRequest { is_own: true, ..request(Owner, Some(Owner), role) });
    assert_eq!(own(Owner).unwrap(), RoleChange::Nothing);
    assert!(is_forbidden(&own(Admin)) && is_forbidden(&own(Member)));
}

#[test]
fn a_guest_stays_a_member() {
    let guest = |role| role_change(RoleRequest { is_guest: true, ..request(Owner, Some(Member), role) });
    assert_eq!(guest(Member).unwrap(), RoleChange::Given);
    assert!(is_forbidden(&guest(Admin)) && is_forbidden(&guest(Owner)));
}

#[test]
fn who_removes_whom() {
    for (actor, removes) in [(Member, &[][..]), (Admin, &[Member]), (Owner, &[Member, Admin])] {
        for user in ROLES {
            assert_eq!(may_remove(actor, user, false).is_ok(), removes.contains(&user), "{actor:?} removes {user:?}");
            assert!(may_remove(actor, user, true).is_ok(), "anybody may leave");
        }
    }
}

#[test]
fn who_changes_and_ends_a_group() {
    assert_eq!(ROLES.map(|role| managers_only(role).is_ok()), [false, true, true]);
    assert_eq!(ROLES.map(|role| owners_only(role).is_ok()), [false, false, true]);
}

#[test]
fn a_group_goes_to_who_manages_it_longest_and_to_a_guest_last() {
    let named = |(user, role, is_guest)| Candidate { user, role, is_guest };
    for (others, expected) in [
        (&[][..], None),
        (&[("bob", Member, false), ("eva", Member, false)], Some("bob")),
        (&[("bob", Member, false), ("eva", Admin, false), ("leo", Admin, false)], Some("eva")),
        (&[("gus", Member, true), ("bob", Member, false)], Some("bob")),
        (&[("gus", Admin, true), ("bob", Member, false)], Some("bob")),
        (&[("gus", Member, true), ("pia", Member, true)], Some("gus")),
    ] {
        assert_eq!(heir(others.iter().copied().map(named)), expected, "{others:?}");
    }
}

#[test]
fn members_invite_while_the_group_allows_it_and_revoke_what_they_made() {
    assert_eq!(ROLES.map(|role| may_invite(role, false).is_ok()), [false, true, true]);
    assert_eq!(ROLES.map(|role| may_invite(role, true).is_ok()), [true; 3]);
    assert_eq!(ROLES.map(|role| may_revoke(role, false).is_ok()), [false, true, true]);
    assert_eq!(ROLES.map(|role| may_revoke(role, true).is_ok()), [true; 3]);
    assert!(matches!(may_revoke(Member, false), Err(StoreError::NotFound)), "it is not said that there is one");
}

#[test]
fn there_is_as_much_as_may_be_and_no_more() {
    let is_full = |outcome, limit| matches!(outcome, Err(StoreError::LimitReached(reached)) if reached == limit);
    assert!(one_more_group(GROUPS_PER_USER - 1).is_ok());
    assert!(is_full(one_more_group(GROUPS_PER_USER), Limit::Groups));
    assert!(one_more_member(MEMBERS_PER_GROUP - 1).is_ok());
    assert!(is_full(one_more_member(MEMBERS_PER_GROUP), Limit::Members));
    let (own, all) = (i64::try_from(INVITES_PER_MEMBER).unwrap(), i64::try_from(INVITES_PER_GROUP).unwrap());
    for role in ROLES {
        assert!(one_more_invite(role, own - 1, all - 1).is_ok());
        assert!(is_full(one_more_invite(role, own, own), Limit::Invites), "nobody has more links than that");
    }
    assert!(is_full(one_more_invite(Member, 0, all), Limit::Invites));
    assert!(one_more_invite(Admin, 0, all).is_ok(), "members can't keep those who manage the group from it");
}
