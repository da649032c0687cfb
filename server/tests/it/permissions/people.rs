//! The users of the table's columns, and a group with and without them.

use caravana_protocol::{GroupId, UserId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, TestUser, jwt};

/// How many columns there are.
pub(super) const COLUMNS: usize = 7;
/// The columns, in the order of every row of statuses.
pub(super) const NAMES: [&str; COLUMNS] =
    ["owner", "admin", "member", "former member", "member of another group", "guest", "anonymous"];

/// The users of the table.
pub(super) struct People {
    pub(super) owner: TestUser,
    pub(super) admin: TestUser,
    pub(super) member: TestUser,
    pub(super) former: TestUser,
    pub(super) other: TestUser,
    /// A member by invitation, with an anonymous account of the host's backend.
    pub(super) guest: TestUser,
    pub(super) anonymous: TestUser,
    /// A member whom the owner may remove or give a role.
    pub(super) victim: TestUser,
}

/// A group with every user in their role, and the objects that the rows use.
pub(super) struct Place {
    pub(super) group: GroupId,
    /// The secret of a link into it.
    pub(super) invite: String,
    /// The id of that link in the list.
    pub(super) invite_id: String,
}

impl People {
    pub(super) async fn arrive(server: &TestServer) -> Self {
        Self {
            owner: server.register("Olga").await,
            admin: server.register("Adela").await,
            member: server.register("Marta").await,
            former: server.register("Fermín").await,
            other: server.register("Otto").await,
            guest: server.guest("Gala").await,
            anonymous: server.stranger(),
            victim: server.register("Víctor").await,
        }
    }

    /// The users in the columns' order.
    pub(super) fn columns(&self) -> [&TestUser; COLUMNS] {
        [&self.owner, &self.admin, &self.member, &self.former, &self.other, &self.guest, &self.anonymous]
    }

    /// A new group, so that no row affects another row.
    pub(super) async fn meet(&self) -> Place {
        let group = self.owner.create_group("Lisboa").await;
        self.other.create_group("Porto").await;
        for user in [&self.admin, &self.member, &self.former, &self.guest, &self.victim] {
            self.owner.brings(user, group).await;
        }
        let promoted = self.owner.patch(&member(group, self.admin.id()), &json!({"role": "admin"})).await;
        assert_eq!(promoted.status, 204, "{}", promoted.text);
        let left = self.former.delete(&member(group, self.former.id())).await;
        assert_eq!(left.status, 204, "{}", left.text);
        let invite = self.owner.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await.json();
        let text = |field: &str| invite[field].as_str().unwrap().to_owned();
        Place { group, invite: text("token"), invite_id: text("id") }
    }

    /// A valid token of the victim.
    pub(super) fn victim_token(&self) -> String {
        let later = time::OffsetDateTime::now_utc().unix_timestamp() + 3_600;
        jwt(&json!({"sub": self.victim.id(), "exp": later}))
    }

    /// Sends a message of this member and returns its id.
    pub(super) async fn message_of(&self, author: &TestUser, group: GroupId) -> String {
        let sent = author.sends(group, "hola").await.json();
        sent["message"]["id"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned()
    }
}

/// The path of a membership.
pub(super) fn member(group: GroupId, user: UserId) -> String {
    format!("/api/v1/groups/{group}/members/{user}")
}

/// Sends a request as this user.
pub(super) async fn ask(user: &TestUser, method: &str, path: &str, body: Option<Value>) -> Answer {
    let method: Method = method.to_uppercase().parse().unwrap();
    user.call(method, path, body.as_ref()).await
}
