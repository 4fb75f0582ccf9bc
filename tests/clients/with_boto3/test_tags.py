"""Tags of state machines and activities."""

from boto import Boto3, create, states
from shared import PASS, ROLE, activity_arn, machine_arn

TAGS_MAX = 50


def tags(resource):
    return {tag["key"]: tag["value"] for tag in states.list_tags_for_resource(resourceArn=resource)["tags"]}


class Tags(Boto3):
    def test_tags_of_machines_and_activities(self):
        new = {"tags": [{"key": "team", "value": "orders"}, {"key": "ünï.:/=+-@_ 1", "value": ""}]}
        machine = create("tagged", PASS, **new)
        activity = states.create_activity(name="tagged", **new)["activityArn"]
        for resource in [machine, activity]:
            self.assertEqual(tags(resource), {"team": "orders", "ünï.:/=+-@_ 1": ""})
            states.tag_resource(resourceArn=resource, tags=[{"key": "team", "value": "sales"}, {"key": "x", "value": "y"}])
            states.untag_resource(resourceArn=resource, tagKeys=["ünï.:/=+-@_ 1", "nothing"])
            self.assertEqual(tags(resource), {"team": "sales", "x": "y"})
            states.tag_resource(resourceArn=resource, tags=[])
            states.untag_resource(resourceArn=resource, tagKeys=[])
            self.assertEqual(tags(resource), {"team": "sales", "x": "y"})
        bare = create("bare", PASS)
        self.assertEqual(tags(bare), {})

    def test_fifty_tags(self):
        machine = create("full-of-tags", PASS)
        many = [{"key": f"k{number}", "value": "v"} for number in range(TAGS_MAX)]
        states.tag_resource(resourceArn=machine, tags=many)
        message = "A resource has at most 50 tags."
        error = self.refused(
            "TooManyTags", message, "tag_resource", resourceArn=machine, tags=[{"key": "one-more", "value": ""}]
        )
        self.assertEqual(error["resourceName"], machine)
        # A new value for a key that is there takes no room.
        states.tag_resource(resourceArn=machine, tags=[{"key": "k7", "value": "new"}])
        self.assertEqual(len(tags(machine)), TAGS_MAX)
        self.assertEqual(tags(machine)["k7"], "new")
        many.append({"key": "one-more", "value": ""})
        self.refused(
            "TooManyTags", message, "create_state_machine", name="tags", definition=PASS, roleArn=ROLE, tags=many,
        )
        self.refused("TooManyTags", message, "create_activity", name="tags", tags=many)
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine_arn('tags')}'",
            "describe_state_machine", stateMachineArn=machine_arn("tags"),
        )

    def test_refusals(self):
        machine = create("tag-refusals", PASS)
        some = {"tags": [{"key": "k", "value": "v"}]}
        for operation, members in [
            ("tag_resource", some), ("untag_resource", {"tagKeys": ["k"]}), ("list_tags_for_resource", {}),
        ]:
            self.invalid_arn("resourceArn", operation, **members)
            # Neither versions nor aliases nor executions have tags.
            for missing in [f"{machine}:1", f"{machine}:live", machine_arn("missing"), activity_arn("missing")]:
                error = self.refused(
                    "ResourceNotFound", f"Resource not found: '{missing}'", operation, resourceArn=missing, **members
                )
                self.assertEqual(error["resourceName"], missing)
        for tag, message in [
            ({"key": "aws:x", "value": ""}, "Tag keys that begin with 'aws:' are reserved."),
            ({"key": "a*b", "value": ""},
             "The tag text 'a*b' has other characters than letters, digits, white space and _ . : / = + - @."),
            ({"key": "a", "value": "<b>"},
             "The tag text '<b>' has other characters than letters, digits, white space and _ . : / = + - @."),
        ]:
            for operation, members in [
                ("tag_resource", {"resourceArn": machine}), ("create_activity", {"name": "refused"}),
                ("create_state_machine", {"name": "refused", "definition": PASS, "roleArn": ROLE}),
            ]:
                self.refused("ValidationException", message, operation, tags=[tag], **members)
        self.assertEqual(tags(machine), {})
