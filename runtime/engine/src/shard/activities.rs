//! Activities, their queues of tasks and the workers that poll them.

use std::collections::{BTreeMap, HashMap, VecDeque};

use asl::interpreter::{Event, task_request};
use asl::{Text, Timestamp};
use store::{ActivityRecord, Change, QueueKey, QueuedTask, RowKey};

use crate::arn::ActivityArn;
use crate::request::{ActivityTask, CreateActivity, Refusal};

use super::{Known, Reply, ReplyTo, Shard, TaskKey};

/// All activities with their queues: 48 bytes for each waiting task; inputs stay with the executions.
#[derive(Debug)]
pub(super) struct Activities {
    by_arn: BTreeMap<String, Activity>,
    /// The place of each queued task, so that a cancelled one is found.
    places: HashMap<RowKey, (String, u64)>,
    /// The activity that each poller waits for.
    polls: HashMap<ReplyTo, String>,
    pollers_max: usize,
}

#[derive(Debug)]
struct Activity {
    record: ActivityRecord,
    queue: BTreeMap<u64, QueuedTask>,
    pollers: VecDeque<Poller>,
}

#[derive(Debug)]
struct Poller {
    reply: ReplyTo,
    worker_name: Option<String>,
}

impl Activities {
    pub(super) fn exists(&self, arn: &str) -> bool {
        self.by_arn.contains_key(arn)
    }

    pub(super) fn new(
        pollers_max: usize,
        stored: Vec<(ActivityRecord, Vec<(u64, QueuedTask)>)>,
    ) -> Activities {
        let mut activities = Activities {
            by_arn: BTreeMap::new(),
            places: HashMap::new(),
            polls: HashMap::new(),
            pollers_max,
        };
        for (record, tasks) in stored {
            let arn = record.arn.to_string();
            for (number, task) in &tasks {
                let key = RowKey { execution: task.execution, row: task.row };
                activities.places.insert(key, (arn.clone(), *number));
            }
            let queue = tasks.into_iter().collect();
            activities.by_arn.insert(arn, Activity { record, queue, pollers: VecDeque::new() });
        }
        activities
    }

    /// The task that the next poller gets.
    pub(super) fn next_task(&self, arn: &str) -> Option<QueuedTask> {
        self.by_arn.get(arn)?.queue.first_key_value().map(|(_, task)| *task)
    }

    pub(super) fn record_mut(&mut self, arn: &str) -> Option<&mut ActivityRecord> {
        self.by_arn.get_mut(arn).map(|activity| &mut activity.record)
    }

    /// Takes back a poll; false if it was answered already.
    pub(super) fn withdraw(&mut self, reply: ReplyTo) -> bool {
        let Some(activity) = self.polls.remove(&reply).and_then(|arn| self.by_arn.get_mut(&arn)) else {
            return false;
        };
        activity.pollers.retain(|poller| poller.reply != reply);
        true
    }

    fn push(&mut self, arn: &str, number: u64, task: QueuedTask) -> Option<QueueKey> {
        let activity = self.by_arn.get_mut(arn)?;
        activity.queue.insert(number, task);
        let key = RowKey { execution: task.execution, row: task.row };
        self.places.insert(key, (arn.to_owned(), number));
        Some(QueueKey { activity: activity.record.name.clone(), number })
    }

    fn remove(&mut self, key: RowKey) -> Option<QueueKey> {
        let (arn, number) = self.places.remove(&key)?;
        let activity = self.by_arn.get_mut(&arn)?;
        activity.queue.remove(&number);
        Some(QueueKey { activity: activity.record.name.clone(), number })
    }

    /// The first task and the first poller, if there are both. Both leave their queues.
    fn pair(&mut self, arn: &str) -> Option<(QueuedTask, QueueKey, Poller)> {
        let activity = self.by_arn.get_mut(arn)?;
        let (number, task) = activity.queue.first_key_value().map(|(number, task)| (*number, *task))?;
        let poller = activity.pollers.pop_front()?;
        activity.queue.remove(&number);
        let place = QueueKey { activity: activity.record.name.clone(), number };
        self.polls.remove(&poller.reply);
        self.places.remove(&RowKey { execution: task.execution, row: task.row });
        Some((task, place, poller))
    }
}

impl Shard {
    pub(super) fn create_activity(
        &mut self,
        request: CreateActivity,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        if let Some(existing) = self.activities.by_arn.get(request.arn.as_str()) {
            return if existing.record.encryption == request.encryption {
                Ok(existing.record.created_at)
            } else {
                Err(Refusal::ActivityAlreadyExists { arn: request.arn })
            };
        }
        let record = ActivityRecord {
            arn: request.arn.as_str().into(),
            name: request.arn.name().into(),
            created_at: now,
            tags: request.tags,
            encryption: request.encryption,
        };
        self.batch.activities.insert(record.name.clone(), Change::Put(record.clone()));
        let activity = Activity { record, queue: BTreeMap::new(), pollers: VecDeque::new() };
        self.activities.by_arn.insert(request.arn.as_str().to_owned(), activity);
        Ok(now)
    }

    /// Tasks that are queued stay with their executions until their timeouts; pollers learn that it is gone.
    pub(super) fn delete_activity(&mut self, arn: &ActivityArn) -> Result<(), Refusal> {
        let Some(activity) = self.activities.by_arn.remove(arn.as_str()) else { return Ok(()) };
        self.batch.activities.insert(activity.record.name.clone(), Change::Delete);
        for (number, task) in activity.queue {
            self.activities.places.remove(&RowKey { execution: task.execution, row: task.row });
            let place = QueueKey { activity: activity.record.name.clone(), number };
            self.batch.activity_tasks.insert(place, Change::Delete);
        }
        for poller in activity.pollers {
            self.activities.polls.remove(&poller.reply);
            self.reply(poller.reply, Reply::Refused(Refusal::ActivityDoesNotExist { arn: arn.clone() }));
        }
        Ok(())
    }

    pub(super) fn poll_activity(
        &mut self,
        reply: ReplyTo,
        arn: &ActivityArn,
        worker_name: Option<String>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let pollers_max = self.activities.pollers_max;
        let activity = self.activities.by_arn.get_mut(arn.as_str());
        let activity = activity.ok_or_else(|| Refusal::ActivityDoesNotExist { arn: arn.clone() })?;
        if activity.pollers.len() >= pollers_max {
            return Err(Refusal::ActivityWorkerLimitExceeded);
        }
        activity.pollers.push_back(Poller { reply, worker_name });
        self.activities.polls.insert(reply, arn.as_str().to_owned());
        self.hand_out(arn.as_str(), now);
        Ok(())
    }

    /// Queues an attempt. The commit of its execution's state comes with it.
    pub(super) fn offer_activity(&mut self, arn: &Text, task: QueuedTask) {
        let number = self.next_number();
        if let Some(place) = self.activities.push(arn, number, task) {
            self.batch.activity_tasks.insert(place, Change::Put(task));
        }
    }

    /// Queues a task again that nobody got although it was handed out. Its execution has seen it start: its times go on, and
    /// the next poller gets the same token.
    pub(super) fn take_back(&mut self, task: TaskKey, now: Timestamp) {
        let is_queued = self.activities.places.contains_key(&task.row_key());
        if is_queued || !self.awaits_service(task) {
            return;
        }
        let Some(request) = self.task_request(task) else { return };
        if self.activities.exists(&request.resource) {
            let TaskKey { execution, row, attempt } = task;
            self.offer_activity(&request.resource, QueuedTask { execution, row, attempt, scheduled_at: now });
            self.hand_out(&request.resource, now);
        }
    }

    pub(super) fn withdraw_activity(&mut self, key: RowKey) {
        if let Some(place) = self.activities.remove(key) {
            self.batch.activity_tasks.insert(place, Change::Delete);
        }
    }

    /// Gives queued tasks to waiting pollers. Their executions are in memory: a poll loads the first one, and
    /// where pollers wait the queue holds nothing but what was offered just now.
    pub(super) fn hand_out(&mut self, arn: &str, now: Timestamp) {
        while let Some((task, place, poller)) = self.activities.pair(arn) {
            self.batch.activity_tasks.insert(place, Change::Delete);
            let (row, attempt, worker_name) = (task.row, task.attempt, poller.worker_name);
            // One that was taken back has started before.
            self.step(task.execution, Event::TaskStarted { row, attempt, worker_name }, now);
            let handed = match self.executions.get(&task.execution) {
                Some(Known::Running(resident)) => {
                    let definition = resident.revision.definition.as_ref().ok();
                    definition.and_then(|definition| task_request(definition, &resident.state, row))
                }
                Some(Known::Ended(_) | Known::Absent) | None => None,
            };
            let handed = handed.filter(|request| request.attempt == attempt);
            let handed =
                handed.and_then(|request| Some(ActivityTask { token: request.token?, input: request.input }));
            self.reply(poller.reply, Reply::ActivityTask(handed));
        }
    }
}
