"""The errors that the service model declares: which test provokes each, or why it cannot occur here.

The tests at the end hold the table to the SDK's own model and to what the tests of the run have provoked.
"""

import dataclasses
import unittest

import botocore.session

from shared import NOT_YET, notes


@dataclasses.dataclass(frozen=True)
class Never:
    """An error that cannot occur here."""

    because: str


KMS = Never("there are no customer managed keys")
NO_QUOTA = Never("the quota protects a shared service, and there is none of it here")
ONE_AFTER_THE_OTHER = Never("requests that change something are done one after the other, so none is in another's way")
TRACING = Never("the only member is a boolean, and what is none is a SerializationException")
NOT_HERE = Never("the operation is not there yet")

DELETING = "versions.Deleting.test_what_is_refused_while_a_machine_is_being_deleted"
OPEN_EXECUTIONS = "with_boto3_alone.test_open_executions.OpenExecutions.test_ten_thousand_are_open_and_one_more"

# Without the folder and what every module begins with, a test is one of `with_boto3`. What begins with `Kms` is in no
# row: it is KMS everywhere.
DECLARED = {
    "CreateActivity": {
        "ActivityAlreadyExists": Never("no other encryption is taken than the one that it has"),
        "ActivityLimitExceeded": NO_QUOTA,
        "InvalidEncryptionConfiguration": "machines.Refusals.test_configurations",
        "InvalidName": "machines.Refusals.test_names",
        "TooManyTags": "tags.Tags.test_fifty_tags",
    },
    "CreateStateMachine": {
        "ConflictException": ONE_AFTER_THE_OTHER,
        "InvalidArn": "machines.Refusals.test_arns",
        "InvalidDefinition": "machines.Refusals.test_definitions",
        "InvalidEncryptionConfiguration": "machines.Refusals.test_configurations",
        "InvalidLoggingConfiguration": "machines.Refusals.test_configurations",
        "InvalidName": "machines.Refusals.test_names",
        "InvalidTracingConfiguration": TRACING,
        "StateMachineAlreadyExists": "machines.Life.test_creation_is_idempotent_by_all_but_role_and_tags",
        "StateMachineDeleting": DELETING,
        "StateMachineLimitExceeded": NO_QUOTA,
        "StateMachineTypeNotSupported": Never("there are machines of both types"),
        "TooManyTags": "tags.Tags.test_fifty_tags",
        "ValidationException": "machines.Refusals.test_lengths",
    },
    "CreateStateMachineAlias": {
        "ConflictException": "versions.Aliases.test_life_of_an_alias",
        "InvalidArn": "versions.Aliases.test_routing",
        "InvalidName": Never("the model's pattern of the name refuses the same ones before"),
        "ResourceNotFound": "versions.Aliases.test_routing",
        "ServiceQuotaExceededException": "versions.Aliases.test_aliases_in_pages_and_their_quota",
        "StateMachineDeleting": DELETING,
        "ValidationException": "versions.Aliases.test_refusals",
    },
    "DeleteActivity": {
        "InvalidArn": "activities.Activities.test_refusals",
    },
    "DeleteStateMachine": {
        "InvalidArn": "machines.Refusals.test_arns",
        "ValidationException": "machines.Refusals.test_lengths",
    },
    "DeleteStateMachineAlias": {
        "ConflictException": ONE_AFTER_THE_OTHER,
        "InvalidArn": "versions.Aliases.test_refusals",
        "ResourceNotFound": "versions.Aliases.test_refusals",
        "ValidationException": "versions.Aliases.test_refusals",
    },
    "DeleteStateMachineVersion": {
        "ConflictException": "versions.Aliases.test_life_of_an_alias",
        "InvalidArn": "versions.Versions.test_refusals",
        "ValidationException": "versions.Versions.test_refusals",
    },
    "DescribeActivity": {
        "ActivityDoesNotExist": "activities.Activities.test_refusals",
        "InvalidArn": "activities.Activities.test_refusals",
    },
    "DescribeExecution": {
        "ExecutionDoesNotExist": "executions.Starts.test_refused_lookups",
        "InvalidArn": "executions.Starts.test_refused_lookups",
    },
    "DescribeMapRun": {
        "InvalidArn": "map_runs.MapRuns.test_refusals",
        "ResourceNotFound": "map_runs.MapRuns.test_refusals",
    },
    "DescribeStateMachine": {
        "InvalidArn": "machines.Refusals.test_arns",
        "StateMachineDoesNotExist": "machines.Refusals.test_arns",
    },
    "DescribeStateMachineAlias": {
        "InvalidArn": "versions.Aliases.test_refusals",
        "ResourceNotFound": "versions.Aliases.test_refusals",
        "ValidationException": "versions.Aliases.test_refusals",
    },
    "DescribeStateMachineForExecution": {
        "ExecutionDoesNotExist": "executions.Starts.test_refused_lookups",
        "InvalidArn": "executions.Starts.test_refused_lookups",
    },
    "GetActivityTask": {
        "ActivityDoesNotExist": "activities.Activities.test_refusals",
        "ActivityWorkerLimitExceeded": "activities.Activities.test_a_thousand_workers_poll_and_one_more",
        "InvalidArn": "activities.Activities.test_refusals",
    },
    "GetExecutionHistory": {
        "ExecutionDoesNotExist": "executions.Starts.test_refused_lookups",
        "InvalidArn": "executions.Starts.test_refused_lookups",
        "InvalidToken": "history.History.test_history_in_pages_and_backwards",
    },
    "ListActivities": {
        "InvalidToken": "activities.Activities.test_paginators_find_all",
    },
    "ListExecutions": {
        "InvalidArn": "map_runs.MapRuns.test_refusals",
        "InvalidToken": "executions.Lists.test_tokens_are_of_one_listing",
        "ResourceNotFound": "map_runs.MapRuns.test_refusals",
        "StateMachineDoesNotExist": "executions.Lists.test_refused_lists",
        "StateMachineTypeNotSupported": "executions.Lists.test_refused_lists",
        "ValidationException": "executions.Lists.test_refused_lists",
    },
    "ListMapRuns": {
        "ExecutionDoesNotExist": "map_runs.MapRuns.test_refusals",
        "InvalidArn": "executions.Starts.test_refused_lookups",
        "InvalidToken": "map_runs.MapRuns.test_refusals",
    },
    "ListStateMachineAliases": {
        "InvalidArn": "versions.Aliases.test_refusals",
        "InvalidToken": "versions.Aliases.test_aliases_in_pages_and_their_quota",
        "ResourceNotFound": "versions.Aliases.test_refusals",
        "StateMachineDeleting": DELETING,
        "StateMachineDoesNotExist": "versions.Aliases.test_refusals",
    },
    "ListStateMachineVersions": {
        "InvalidArn": "versions.Versions.test_refusals",
        "InvalidToken": "versions.Versions.test_versions_in_pages",
        "ValidationException": "versions.Versions.test_refusals",
    },
    "ListStateMachines": {
        "InvalidToken": "machines.Life.test_paginators_find_all",
    },
    "ListTagsForResource": {
        "InvalidArn": "tags.Tags.test_refusals",
        "ResourceNotFound": "tags.Tags.test_refusals",
    },
    "PublishStateMachineVersion": {
        "ConflictException": "versions.Versions.test_life_of_versions",
        "InvalidArn": "versions.Versions.test_refusals",
        "ServiceQuotaExceededException": "versions.VersionQuota.test_a_machine_has_a_thousand_versions",
        "StateMachineDeleting": DELETING,
        "StateMachineDoesNotExist": "versions.Versions.test_refusals",
        "ValidationException": "versions.Versions.test_refusals",
    },
    "RedriveExecution": {
        "ExecutionDoesNotExist": "redrives.Redrives.test_refusals",
        "ExecutionLimitExceeded": NO_QUOTA,
        "ExecutionNotRedrivable": "redrives.Redrives.test_refusals",
        "InvalidArn": "redrives.Redrives.test_refusals",
        "ValidationException": "redrives.Redrives.test_refusals",
    },
    "SendTaskFailure": {
        "InvalidToken": "activities.Workers.test_forged_tokens",
        "TaskDoesNotExist": "activities.Workers.test_a_task_whose_activity_is_gone",
        "TaskTimedOut": "activities.Workers.test_a_worker_beats_and_completes",
    },
    "SendTaskHeartbeat": {
        "InvalidToken": "activities.Workers.test_forged_tokens",
        "TaskDoesNotExist": "activities.Workers.test_a_task_whose_activity_is_gone",
        "TaskTimedOut": "activities.Workers.test_a_worker_beats_and_completes",
    },
    "SendTaskSuccess": {
        "InvalidOutput": "activities.Workers.test_a_worker_beats_and_completes",
        "InvalidToken": "activities.Workers.test_forged_tokens",
        "TaskDoesNotExist": "activities.Workers.test_a_task_whose_activity_is_gone",
        "TaskTimedOut": "activities.Workers.test_a_worker_beats_and_completes",
    },
    "StartExecution": {
        "ExecutionAlreadyExists": "executions.Starts.test_named_unnamed_and_duplicate_starts",
        "ExecutionLimitExceeded": OPEN_EXECUTIONS,
        "InvalidArn": "executions.Starts.test_refused_starts",
        "InvalidExecutionInput": "executions.Starts.test_refused_starts",
        "InvalidName": "executions.Starts.test_refused_starts",
        "StateMachineDeleting": DELETING,
        "StateMachineDoesNotExist": "executions.Starts.test_refused_starts",
        "ValidationException": "machines.Refusals.test_labeled_arns",
    },
    "StartSyncExecution": {
        "InvalidArn": "express.Express.test_refusals",
        "InvalidExecutionInput": "express.Express.test_refusals",
        "InvalidName": "express.Express.test_refusals",
        "StateMachineDeleting": DELETING,
        "StateMachineDoesNotExist": "express.Express.test_refusals",
        "StateMachineTypeNotSupported": "express.Express.test_refusals",
    },
    "StopExecution": {
        "ExecutionDoesNotExist": "executions.Starts.test_refused_lookups",
        "InvalidArn": "executions.Starts.test_refused_lookups",
        "ValidationException": "executions.Starts.test_refused_lookups",
    },
    "TagResource": {
        "InvalidArn": "tags.Tags.test_refusals",
        "ResourceNotFound": "tags.Tags.test_refusals",
        "TooManyTags": "tags.Tags.test_fifty_tags",
    },
    "TestState": {
        "InvalidArn": "test_state.TestState.test_refusals",
        "InvalidDefinition": "test_state.TestState.test_refusals",
        "InvalidExecutionInput": "test_state.TestState.test_refusals",
        "ValidationException": "test_state.TestState.test_refusals",
    },
    "UntagResource": {
        "InvalidArn": "tags.Tags.test_refusals",
        "ResourceNotFound": "tags.Tags.test_refusals",
    },
    "UpdateMapRun": {
        "InvalidArn": "map_runs.MapRuns.test_refusals",
        "ResourceNotFound": "map_runs.MapRuns.test_refusals",
        "ValidationException": "map_runs.MapRuns.test_refusals",
    },
    "UpdateStateMachine": {
        "ConflictException": ONE_AFTER_THE_OTHER,
        "InvalidArn": "machines.Refusals.test_arns",
        "InvalidDefinition": "machines.Refusals.test_definitions",
        "InvalidEncryptionConfiguration": "machines.Refusals.test_configurations",
        "InvalidLoggingConfiguration": "machines.Refusals.test_configurations",
        "InvalidTracingConfiguration": TRACING,
        "MissingRequiredParameter": "machines.Life.test_updates",
        "ServiceQuotaExceededException": "versions.VersionQuota.test_a_machine_has_a_thousand_versions",
        "StateMachineDeleting": DELETING,
        "StateMachineDoesNotExist": "machines.Refusals.test_arns",
        "ValidationException": "machines.Refusals.test_labeled_arns",
    },
    "UpdateStateMachineAlias": {
        "ConflictException": ONE_AFTER_THE_OTHER,
        "InvalidArn": "versions.Aliases.test_refusals",
        "ResourceNotFound": "versions.Aliases.test_refusals",
        "StateMachineDeleting": DELETING,
        "ValidationException": "versions.Aliases.test_refusals",
    },
    "ValidateStateMachineDefinition": {
        "ValidationException": "machines.Validation.test_refusals",
    },

}


def full_name(test):
    return test if test.startswith("with_") else f"with_boto3.test_{test}"


class Declared(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        model = botocore.session.get_session().get_service_model("stepfunctions")
        self.model = {
            name: sorted(error.name for error in model.operation_model(name).error_shapes)
            for name in model.operation_names
        }
        self.table = {
            operation: {code: KMS for code in self.model.get(operation, []) if code.startswith("Kms")} | errors
            for operation, errors in DECLARED.items()
        }

    def test_the_table_is_that_of_the_model(self):
        self.assertEqual({operation: sorted(errors) for operation, errors in self.table.items()}, self.model)

    def test_each_error_was_provoked_by_its_test(self):
        provoked = notes()
        missing = [
            f"{operation} {code}: {test}"
            for operation, errors in self.table.items() for code, test in errors.items()
            if isinstance(test, str) and (operation, code) not in provoked.get(full_name(test), set())
        ]
        self.assertEqual(missing, [], "errors that their tests did not provoke")

    def test_no_error_occurred_that_cannot(self):
        occurred = {pair for pairs in notes().values() for pair in pairs}
        impossible = [
            f"{operation} {code}: {test.because}"
            for operation, errors in self.table.items() for code, test in errors.items()
            if isinstance(test, Never) and (operation, code) in occurred
        ]
        self.assertEqual(impossible, [], "errors that the table says cannot occur")

    def test_only_an_operation_that_is_not_there_has_no_test(self):
        untested = [name for name, errors in self.table.items() if errors and NOT_HERE in errors.values()]
        self.assertEqual(untested, NOT_YET)
