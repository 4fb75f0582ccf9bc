//! Modules: uploads, versions, aliases, and what an execution that began earlier finds.

use asl::Timestamp;
use engine::{ChangeModule, Expected, ModuleChange, ModuleChanged, ModuleRefusal, PutModule, PutModuleAlias};
use store::{Batch, Change, ModuleHead, ModulePlace, ModuleRecord, ModuleShare};

use super::*;

const NEVER: Timestamp = Timestamp::from_milliseconds(0);

fn upload(digest: &str, publish: bool) -> PutModule {
    PutModule {
        expected: Expected::Anything,
        digest: digest.to_owned(),
        size_bytes: 1,
        exports: Vec::new(),
        manifest: None,
        configuration: None,
        package_digest: None,
        publish,
        description: None,
        tags: Vec::new(),
    }
}

async fn change(world: &World, change: ModuleChange) -> Result<ModuleChanged, Refusal> {
    change_since(world, change, NEVER).await
}

async fn change_since(
    world: &World,
    change: ModuleChange,
    needed_since: Timestamp,
) -> Result<ModuleChanged, Refusal> {
    let request = ChangeModule { name: "m".to_owned(), change, if_upload: None, needed_since };
    world.handle.change_module(request).await
}

async fn put(world: &World, digest: &str) -> ModuleChanged {
    change(world, ModuleChange::Put(upload(digest, true))).await.unwrap()
}

fn alias(version: Option<u32>, also: Option<Option<ModuleShare>>, expected: Expected) -> ModuleChange {
    ModuleChange::PutAlias(PutModuleAlias {
        alias: "live".to_owned(),
        expected,
        if_alias: None,
        description: None,
        version,
        also,
    })
}

async fn head(world: &World) -> ModuleHead {
    world.store.module_head("m").await.unwrap().unwrap()
}

/// The digest that `$LATEST` had at a moment.
async fn latest_at(world: &World, at: Timestamp) -> String {
    let record = match head(world).await.latest_at(at) {
        ModulePlace::Version(version) => world.store.module("m", version).await.unwrap(),
        ModulePlace::Upload(upload) => world.store.module_upload("m", upload).await.unwrap(),
    };
    record.unwrap().digest.to_string()
}

fn before(at: Timestamp) -> Timestamp {
    Timestamp::from_milliseconds(at.as_milliseconds() - 1)
}

#[tokio::test]
async fn an_upload_is_new_if_it_differs() {
    let world = World::new().await;
    assert_eq!(put(&world, "a").await.version, Some(1));
    assert_eq!(put(&world, "a").await.version, Some(1));
    let second = put(&world, "b").await;
    assert_eq!(second.version, Some(2));
    let with_manifest = PutModule { manifest: Some("[limits]".into()), ..upload("b", true) };
    let third = change(&world, ModuleChange::Put(with_manifest)).await.unwrap();
    assert_eq!(third.version, Some(3), "its manifest differs");
    assert_eq!(put(&world, "a").await.version, Some(4), "a content that comes back is new");

    // An execution that began earlier finds what was the newest upload then.
    assert_eq!(latest_at(&world, NEVER).await, "a");
    assert_eq!(latest_at(&world, before(second.begins_at)).await, "a");
    assert_eq!(latest_at(&world, second.begins_at).await, "b");
    let world = world.restart().await;
    assert_eq!(put(&world, "a").await.version, Some(4), "also after a restart");
}

#[tokio::test]
async fn an_upload_is_numbered_when_it_is_published() {
    let world = World::new().await;
    let unpublished = change(&world, ModuleChange::Put(upload("a", false))).await.unwrap();
    assert_eq!(unpublished.version, None);
    assert_eq!(world.store.module("m", 1).await.unwrap(), None);
    let publish = || ModuleChange::Publish { description: Some("first".to_owned()) };
    assert_eq!(change(&world, publish()).await.unwrap().version, Some(1));
    assert_eq!(change(&world, publish()).await.unwrap().version, Some(1), "nothing has changed");
    let record = world.store.module("m", 1).await.unwrap().unwrap();
    assert_eq!((&*record.digest, record.description.as_deref()), ("a", Some("first")));

    let told = Data::parse(r#"{"Timeout": 3}"#).unwrap();
    let configured = change(&world, ModuleChange::Configure(told.clone())).await.unwrap();
    assert_eq!(configured.version, None, "another configuration is not the version");
    assert_eq!(change(&world, publish()).await.unwrap().version, Some(2));
    assert_eq!(put(&world, "b").await.version, Some(3));
    let record = world.store.module("m", 3).await.unwrap().unwrap();
    assert_eq!(record.configuration, Some(told), "an upload keeps the configuration");
}

#[tokio::test]
async fn moves_are_dropped_when_no_execution_can_need_them() {
    let world = World::new().await;
    put(&world, "a").await;
    let second = put(&world, "b").await;
    let kept = change_since(&world, ModuleChange::Put(upload("c", true)), before(second.begins_at)).await;
    assert!(!kept.unwrap().frees);
    assert!(world.store.module_upload("m", 1).await.unwrap().is_some());
    let dropped = change_since(&world, ModuleChange::Put(upload("d", true)), second.begins_at).await;
    assert!(dropped.unwrap().frees);
    assert_eq!(world.store.module_upload("m", 1).await.unwrap(), None);
    assert_eq!(latest_at(&world, NEVER).await, "b", "what is older finds the oldest that is left");
    // However many an execution could need, no more than 64 are kept.
    for number in 0..70 {
        put(&world, &format!("{number}")).await;
    }
    let uploads: Vec<u32> = head(&world).await.uploads().collect();
    assert_eq!(uploads, (11..=74).collect::<Vec<_>>());
    assert_eq!(world.store.module_upload("m", 10).await.unwrap(), None);
    assert!(world.store.module_upload("m", 11).await.unwrap().is_some());
    assert!(world.store.module("m", 1).await.unwrap().is_some(), "versions stay");
}

#[tokio::test]
async fn an_alias_moves_and_remembers() {
    let world = World::new().await;
    for digest in ["a", "b", "c"] {
        put(&world, digest).await;
    }
    let none = |version| Err(Refusal::Module(ModuleRefusal::NoVersion { name: "m".to_owned(), version }));
    assert_eq!(change(&world, alias(Some(4), None, Expected::Anything)).await, none(4));
    let share = |version| Some(Some(ModuleShare { version, weight: 500_000 }));
    assert_eq!(change(&world, alias(Some(1), share(9), Expected::Anything)).await, none(9));
    let absent = change(&world, alias(Some(1), None, Expected::Something)).await;
    assert!(matches!(absent, Err(Refusal::Module(ModuleRefusal::NoAlias { .. }))), "{absent:?}");

    change(&world, alias(Some(1), None, Expected::Nothing)).await.unwrap();
    let twice = change(&world, alias(Some(1), None, Expected::Nothing)).await;
    assert!(matches!(twice, Err(Refusal::Module(ModuleRefusal::AliasExists { .. }))), "{twice:?}");
    let moved = change(&world, alias(None, share(2), Expected::Something)).await.unwrap();
    let again = change(&world, alias(Some(3), Some(None), Expected::Anything)).await.unwrap();
    let head = head(&world).await;
    let live = head.alias("live").unwrap();
    assert_eq!((live.revision, live.moves.len()), (3, 3));
    let versions = |at| [0, 499_999, 500_000, 999_999].map(|draw| live.version_at(at, draw));
    assert_eq!(versions(before(moved.begins_at)), [1; 4]);
    assert_eq!(versions(before(again.begins_at)), [2, 2, 1, 1]);
    assert_eq!(versions(again.begins_at), [3; 4]);
}

#[tokio::test]
async fn an_alias_changes_once_from_what_was_seen() {
    let world = World::new().await;
    for digest in ["a", "b"] {
        put(&world, digest).await;
    }
    change(&world, alias(Some(1), None, Expected::Anything)).await.unwrap();
    let seen = head(&world).await.alias("live").cloned();
    let update = |version, also| {
        let ModuleChange::PutAlias(put) = alias(version, also, Expected::Something) else { unreachable!() };
        ModuleChange::PutAlias(PutModuleAlias { if_alias: seen.clone(), ..put })
    };
    // Both have seen the same.
    let (first, second) =
        tokio::join!(change(&world, update(Some(2), None)), change(&world, update(None, None)));
    assert_eq!(first.unwrap().alias.as_ref(), head(&world).await.alias("live"), "it hears what it has made");
    let (name, alias_name) = ("m".to_owned(), "live".to_owned());
    let lost = ModuleRefusal::AliasChanged { name, alias: alias_name };
    assert_eq!(second, Err(Refusal::Module(lost.clone())));
    change(&world, ModuleChange::DeleteAlias("live".to_owned())).await.unwrap();
    change(&world, alias(Some(2), None, Expected::Nothing)).await.unwrap();
    let update = change(&world, update(Some(2), None)).await;
    assert_eq!(update, Err(Refusal::Module(lost)), "it is another of this name");
}

#[tokio::test]
async fn the_two_versions_of_an_alias_differ() {
    let world = World::new().await;
    for digest in ["a", "b"] {
        put(&world, digest).await;
    }
    let share = |version| Some(Some(ModuleShare { version, weight: 500_000 }));
    let refused = |refusal: ModuleRefusal| Err(Refusal::Module(refusal));
    let check = async |version, also, refusal| {
        let answer = change(&world, alias(version, also, Expected::Anything)).await;
        assert_eq!(answer, refused(refusal));
    };
    check(Some(1), share(1), ModuleRefusal::AliasOfOneVersion { version: 1 }).await;
    check(Some(0), share(1), ModuleRefusal::AliasOfLatest).await;
    change(&world, alias(Some(1), share(2), Expected::Anything)).await.unwrap();
    check(Some(2), None, ModuleRefusal::AliasOfOneVersion { version: 2 }).await;
    check(None, share(1), ModuleRefusal::AliasOfOneVersion { version: 1 }).await;
}

#[tokio::test]
async fn tags_belong_to_the_module() {
    let world = World::new().await;
    let gone = Err(Refusal::ModuleDoesNotExist { name: "m".to_owned() });
    assert_eq!(change(&world, ModuleChange::Tag(Vec::new())).await, gone);
    let pairs = |tags: &[(&str, &str)]| -> Vec<(String, String)> {
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let tagged = PutModule { tags: pairs(&[("team", "red")]), ..upload("a", true) };
    change(&world, ModuleChange::Put(tagged)).await.unwrap();
    let ignored = PutModule { tags: pairs(&[("other", "x")]), ..upload("b", true) };
    change(&world, ModuleChange::Put(ignored)).await.unwrap();
    let added = pairs(&[("env", "dev"), ("team", "blue")]);
    assert_eq!(change(&world, ModuleChange::Tag(added)).await.unwrap().version, Some(2));
    let world = world.restart().await;
    assert_eq!(head(&world).await.tags, Some(pairs(&[("team", "blue"), ("env", "dev")])));
    let keys = vec!["env".to_owned(), "none".to_owned()];
    change(&world, ModuleChange::Untag(keys)).await.unwrap();
    assert_eq!(head(&world).await.tags, Some(pairs(&[("team", "blue")])));
    assert_eq!(put(&world, "b").await.version, Some(2), "nothing but its tags has changed");
    let many = |count| (0..count).map(|number| (format!("{number}"), String::new())).collect();
    let full = Err(Refusal::TooManyTags { arn: "m".to_owned() });
    assert_eq!(change(&world, ModuleChange::Tag(many(50))).await, full);
    change(&world, ModuleChange::Tag(many(49))).await.unwrap();
    change(&world, ModuleChange::Delete).await.unwrap();
    put(&world, "a").await;
    assert_eq!(head(&world).await.tags, None, "they go with the module");
}

#[tokio::test]
async fn versions_that_an_alias_names_stay() {
    let world = World::new().await;
    put(&world, "a").await;
    put(&world, "b").await;
    change(&world, alias(Some(1), None, Expected::Anything)).await.unwrap();
    let in_use =
        ModuleRefusal::VersionInUse { name: "m".to_owned(), version: 1, aliases: vec!["live".to_owned()] };
    assert_eq!(change(&world, ModuleChange::DeleteVersion(1)).await, Err(Refusal::Module(in_use)));
    assert!(change(&world, ModuleChange::DeleteVersion(2)).await.unwrap().frees);
    assert!(change(&world, ModuleChange::DeleteVersion(2)).await.is_err(), "it is gone");
    assert_eq!(
        latest_at(&world, Timestamp::from_milliseconds(i64::MAX)).await,
        "b",
        "the newest upload stays"
    );
    let publish = ModuleChange::Publish { description: None };
    assert_eq!(change(&world, publish).await.unwrap().version, Some(3), "a number is given once");
    change(&world, ModuleChange::DeleteAlias("live".to_owned())).await.unwrap();
    let world = world.restart().await;
    change(&world, ModuleChange::DeleteVersion(1)).await.unwrap();

    change(&world, ModuleChange::Delete).await.unwrap();
    assert_eq!(world.store.module_head("m").await.unwrap(), None);
    assert_eq!(world.store.list_module_versions("m", None, 10).await.unwrap().items, []);
    for upload in 1..4 {
        assert_eq!(world.store.module_upload("m", upload).await.unwrap(), None);
    }
    let gone = Err(Refusal::ModuleDoesNotExist { name: "m".to_owned() });
    assert_eq!(change(&world, ModuleChange::Delete).await, gone);
    assert_eq!(change(&world, alias(Some(1), None, Expected::Anything)).await, gone);
    put(&world, "c").await;
    let of_before = change(&world, alias(Some(2), None, Expected::Anything)).await;
    assert!(of_before.is_err(), "versions of a module that had the name are none of its own");
}

#[tokio::test]
async fn what_is_expected_is_held_to() {
    let world = World::new().await;
    let expecting =
        |digest: &str, expected: Expected| ModuleChange::Put(PutModule { expected, ..upload(digest, true) });
    let gone = Err(Refusal::ModuleDoesNotExist { name: "m".to_owned() });
    assert_eq!(change(&world, expecting("a", Expected::Something)).await, gone);
    assert_eq!(change(&world, expecting("a", Expected::Digest("z".to_owned()))).await, gone);
    change(&world, expecting("a", Expected::Nothing)).await.unwrap();
    let exists = Err(Refusal::Module(ModuleRefusal::Exists { name: "m".to_owned() }));
    assert_eq!(change(&world, expecting("a", Expected::Nothing)).await, exists);

    let replace = || expecting("b", Expected::Digest("a".to_owned()));
    assert_eq!(change(&world, replace()).await.unwrap().version, Some(2));
    assert_eq!(change(&world, replace()).await.unwrap().version, Some(2), "sent again, it is done");
    let changed = |digest: &str| {
        Err(Refusal::Module(ModuleRefusal::Changed { name: "m".to_owned(), digest: digest.to_owned() }))
    };
    assert_eq!(change(&world, expecting("c", Expected::Digest("a".to_owned()))).await, changed("b"));
    let request = ChangeModule {
        name: "m".to_owned(),
        change: ModuleChange::Publish { description: None },
        if_upload: Some(1),
        needed_since: NEVER,
    };
    assert_eq!(world.handle.change_module(request).await, changed("b"), "it is the second upload");
}

#[tokio::test]
async fn a_module_from_before_there_were_uploads_goes_on() {
    let store = MemoryStore::new(1);
    let record = ModuleRecord {
        digest: "old".into(),
        size_bytes: 1,
        exports: Vec::new(),
        created_at: Timestamp::from_milliseconds(5),
        description: None,
        manifest: None,
        configuration: None,
        package_digest: None,
    };
    let mut batch = Batch::new(0, 0);
    batch.modules.insert(("m".into(), 2), Change::Put(record));
    let head = ModuleHead { latest_version: 2, pointers: None, tags: None };
    batch.module_heads.insert("m".into(), Change::Put(head));
    store.commit(batch).await.unwrap();
    let world = World::on(store, Arc::default()).await;
    assert_eq!(put(&world, "old").await.version, Some(2));
    let third = put(&world, "new").await;
    assert_eq!(third.version, Some(3));
    assert_eq!(latest_at(&world, before(third.begins_at)).await, "old");
    assert_eq!(latest_at(&world, third.begins_at).await, "new");
    change(&world, ModuleChange::DeleteVersion(2)).await.unwrap();
    assert_eq!(latest_at(&world, NEVER).await, "old", "an execution that runs keeps it");
}
