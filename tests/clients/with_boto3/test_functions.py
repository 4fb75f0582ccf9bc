"""The Lambda API through boto3: functions, versions, aliases and invocations on the registry of modules."""

import base64
import hashlib
import io
import json
import unittest
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from shared import ENDPOINT, ROLE, guest, wait_for

functions = boto3.client(
    "lambda", endpoint_url=ENDPOINT, config=Config(retries={"total_max_attempts": 1}, read_timeout=120),
)
ARN = "arn:aws:lambda:us-east-1:123456789012:function"


def packed(component, manifest=None, **more):
    """A zip archive as `aws_lambda_function` and scripts send it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("function.wasm", component)
        if manifest is not None:
            archive.writestr("module.toml", manifest)
        for name, content in more.items():
            archive.writestr(name, content)
    return file.getvalue()


def sha256(code):
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


def create(name, code, **members):
    told = {"Runtime": "provided.al2023", "Handler": "handle", "Role": ROLE} | members
    return functions.create_function(FunctionName=name, Code={"ZipFile": code}, **told)


def invoke(name, payload=None, **members):
    told = {} if payload is None else {"Payload": json.dumps(payload)}
    answer = functions.invoke(FunctionName=name, **told, **members)
    return answer, answer["Payload"].read()


class Lambda(unittest.TestCase):
    maxDiff = None

    def refused(self, code, status, message, operation, **members):
        with self.assertRaises(ClientError) as caught:
            getattr(functions, operation)(**members)
        response = caught.exception.response
        self.assertEqual((response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]), (code, status))
        self.assertIn(message, response["Error"]["Message"])
        self.assertTrue(response["ResponseMetadata"]["RequestId"])
        if hasattr(functions.exceptions, code):
            self.assertIsInstance(caught.exception, getattr(functions.exceptions, code))


class Functions(Lambda):
    def test_a_function_is_created_read_and_deleted(self):
        code = packed(guest("echo"), "# nothing is asked for\n")
        made = create("f-life", code, Description="says it again", Timeout=5, MemorySize=256, Tags={"env": "dev"})
        expected = {
            "FunctionName": "f-life", "FunctionArn": f"{ARN}:f-life", "Runtime": "provided.al2023", "Role": ROLE,
            "Handler": "handle", "Description": "says it again", "Timeout": 5, "MemorySize": 256,
            "CodeSha256": sha256(code), "Version": "$LATEST", "State": "Active", "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
        }
        self.assertEqual({name: made.get(name) for name in expected}, expected)
        for waiter in ["function_active_v2", "function_updated_v2", "function_exists", "function_active"]:
            functions.get_waiter(waiter).wait(FunctionName="f-life")
        shown = functions.get_function(FunctionName="f-life")
        self.assertEqual(shown["Configuration"]["RevisionId"], made["RevisionId"])
        self.assertEqual(shown["Tags"], {"env": "dev"})
        self.assertEqual(functions.list_tags(Resource=f"{ARN}:f-life")["Tags"], {"env": "dev"})
        for name in [f"{ARN}:f-life", "123456789012:function:f-life", "f-life:$LATEST"]:
            self.assertEqual(functions.get_function_configuration(FunctionName=name)["CodeSha256"], sha256(code))
        names = [one["FunctionName"] for page in functions.get_paginator("list_functions").paginate(
            PaginationConfig={"PageSize": 1}) for one in page["Functions"]]
        self.assertIn("f-life", names)
        self.assertEqual(len(names), len(set(names)))

        self.refused("ResourceConflictException", 409, "Function already exist: f-life", "create_function",
                     FunctionName="f-life", Role=ROLE, Code={"ZipFile": code})
        arn = f"{ARN}:f-life"
        functions.tag_resource(Resource=arn, Tags={"env": "prod", "cost centre": "a/b+c"})
        functions.untag_resource(Resource=arn, TagKeys=["env", "none"])
        self.assertEqual(functions.list_tags(Resource=arn)["Tags"], {"cost centre": "a/b+c"})
        self.assertEqual(functions.get_function(FunctionName="f-life")["Tags"], {"cost centre": "a/b+c"})
        self.refused("InvalidParameterValueException", 400, "tag limit", "tag_resource",
                     Resource=arn, Tags={str(number): "" for number in range(51)})
        self.refused("InvalidParameterValueException", 400, "reserved", "tag_resource",
                     Resource=arn, Tags={"aws:name": "x"})
        self.refused("InvalidParameterValueException", 400, "versions", "list_tags", Resource=f"{arn}:1")
        self.refused("ValidationException", 400, "resource", "list_tags", Resource="f-life")

        functions.delete_function(FunctionName="f-life")
        self.refused("ResourceNotFoundException", 404, arn, "list_tags", Resource=arn)
        for operation in ["get_function", "get_function_configuration", "delete_function", "invoke",
                          "list_versions_by_function", "list_aliases", "publish_version"]:
            self.refused("ResourceNotFoundException", 404, f"{ARN}:f-life", operation, FunctionName="f-life")

    def test_code_and_configuration_are_updated(self):
        first, second = packed(guest("echo")), guest("hostile")
        made = create("f-update", first, Timeout=3)
        self.refused("PreconditionFailedException", 412, "Revision Id", "update_function_code",
                     FunctionName="f-update", ZipFile=second, RevisionId="00000000-0000-0000-0000-000000000000")
        dry = functions.update_function_code(FunctionName="f-update", ZipFile=second, DryRun=True)
        self.assertEqual(dry["CodeSha256"], sha256(first))
        updated = functions.update_function_code(
            FunctionName="f-update", ZipFile=second, RevisionId=made["RevisionId"])
        self.assertEqual((updated["CodeSha256"], updated["Version"]), (sha256(second), "$LATEST"))
        self.assertEqual((updated["Timeout"], updated["LastUpdateStatus"]), (3, "Successful"))
        self.assertNotEqual(updated["RevisionId"], made["RevisionId"])
        functions.get_waiter("function_updated_v2").wait(FunctionName="f-update")
        self.assertEqual(json.loads(invoke("f-update", {"do": "echo", "value": 7})[1]), 7)

        changed = functions.update_function_configuration(FunctionName="f-update", Timeout=1, Description="short")
        self.assertEqual((changed["Timeout"], changed["Description"], changed["MemorySize"]), (1, "short", 128))
        self.assertEqual(changed["CodeSha256"], sha256(second))
        answer, payload = invoke("f-update", {"do": "sleep", "milliseconds": 60_000})
        self.assertEqual((answer["StatusCode"], answer["FunctionError"]), (200, "Unhandled"))
        self.assertEqual(json.loads(payload)["errorType"], "Sandbox.Timedout")

    def test_what_is_no_function_is_refused(self):
        echo = guest("echo")
        for code, message in [
            (b"not a component", "WebAssembly"),
            (packed(echo, **{"index.js": "exports"}), "index.js"),
            (packed(echo)[:1000], "archive"),
        ]:
            self.refused("InvalidParameterValueException", 400, message, "create_function",
                         FunctionName="f-bad", Role=ROLE, Code={"ZipFile": code})
        for members, message in [
            ({"Code": {"S3Bucket": "bucket", "S3Key": "key"}}, "S3Bucket"),
            ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:l:1"]}, "Layers"),
            ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, "VpcConfig"),
            ({"Environment": {"Variables": {"MODE": "x" * 4093}}}, "exceeded the 4KB limit"),
            ({"PackageType": "Image"}, "PackageType"),
            ({"EphemeralStorage": {"Size": 1024}}, "EphemeralStorage"),
        ]:
            told = {"FunctionName": "f-bad", "Role": ROLE, "Code": {"ZipFile": echo}} | members
            self.refused("InvalidParameterValueException", 400, message, "create_function", **told)
        self.refused("ValidationException", 400, "timeout", "create_function",
                     FunctionName="f-bad", Role=ROLE, Code={"ZipFile": echo}, Timeout=901)
        self.refused("ValidationException", 400, "functionName", "get_function", FunctionName="a b")
        self.refused("ResourceNotFoundException", 404, "f-bad", "get_function", FunctionName="f-bad")
        # What tools send though nobody asked for it is no refusal.
        create("f-defaults", echo, Layers=[], VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
               Environment={"Variables": {}}, TracingConfig={"Mode": "PassThrough"}, EphemeralStorage={"Size": 512})

    def test_variables_of_a_function_are_in_its_environment(self):
        told = {"Variables": {"MODE": "test", "REGION_NAME": "eu"}}
        made = create("f-environment", guest("hostile"), Environment=told, Publish=True)
        self.assertEqual(made["Environment"], told)
        _, seen = invoke("f-environment", {"do": "environment"})
        self.assertEqual(sorted(json.loads(seen)["variables"]), ["MODE", "REGION_NAME"])
        changed = functions.update_function_configuration(
            FunctionName="f-environment", Environment={"Variables": {"OTHER": "1"}})
        self.assertEqual(changed["Environment"], {"Variables": {"OTHER": "1"}})
        kept = functions.update_function_configuration(FunctionName="f-environment", Timeout=9)
        self.assertEqual(kept["Environment"], {"Variables": {"OTHER": "1"}})
        for qualifier, names in [("1", ["MODE", "REGION_NAME"]), ("$LATEST", ["OTHER"])]:
            _, seen = invoke("f-environment", {"do": "environment"}, Qualifier=qualifier)
            self.assertEqual(sorted(json.loads(seen)["variables"]), names)
            shown = functions.get_function_configuration(FunctionName="f-environment", Qualifier=qualifier)
            self.assertEqual(sorted(shown["Environment"]["Variables"]), names)
        functions.update_function_configuration(FunctionName="f-environment", Environment={"Variables": {}})
        self.assertNotIn("Environment", functions.get_function_configuration(FunctionName="f-environment"))


class Versions(Lambda):
    def test_versions_are_published_listed_and_deleted(self):
        first, second = packed(guest("echo")), packed(guest("hostile"))
        create("f-versions", first, Publish=True, Description="made with it")
        once = functions.publish_version(FunctionName="f-versions")
        self.assertEqual((once["Version"], once["FunctionArn"]), ("1", f"{ARN}:f-versions:1"))
        functions.update_function_code(FunctionName="f-versions", ZipFile=second)
        self.refused("InvalidParameterValueException", 400, "CodeSHA256", "publish_version",
                     FunctionName="f-versions", CodeSha256=sha256(first))
        two = functions.publish_version(
            FunctionName="f-versions", CodeSha256=sha256(second), Description="the second")
        self.assertEqual((two["Version"], two["Description"]), ("2", "the second"))
        self.assertEqual(functions.publish_version(FunctionName="f-versions")["Version"], "2", "nothing has changed")
        three = functions.update_function_code(FunctionName="f-versions", ZipFile=first, Publish=True)
        self.assertEqual((three["Version"], three["FunctionArn"]), ("3", f"{ARN}:f-versions:3"))
        versions = [one for page in functions.get_paginator("list_versions_by_function").paginate(
            FunctionName="f-versions", PaginationConfig={"PageSize": 2}) for one in page["Versions"]]
        self.assertEqual([one["Version"] for one in versions], ["$LATEST", "1", "2", "3"])
        self.assertEqual([one["CodeSha256"] for one in versions[1:]], [sha256(first), sha256(second), sha256(first)])
        everything = [one["FunctionArn"] for page in functions.get_paginator("list_functions").paginate(
            FunctionVersion="ALL", PaginationConfig={"PageSize": 2}) for one in page["Functions"]]
        self.assertEqual([arn.rsplit(":", 1)[1] for arn in everything if f"{ARN}:f-versions:" in arn],
                         ["$LATEST", "1", "2", "3"])
        self.assertEqual(len(everything), len(set(everything)))
        shown = functions.get_function(FunctionName="f-versions", Qualifier="2")["Configuration"]
        self.assertEqual((shown["CodeSha256"], shown["FunctionArn"]), (sha256(second), f"{ARN}:f-versions:2"))
        self.assertEqual(invoke("f-versions", {"do": "echo", "value": 7}, Qualifier="2")[0]["ExecutedVersion"], "2")

        functions.delete_function(FunctionName="f-versions", Qualifier="2")
        self.refused("ResourceNotFoundException", 404, f"{ARN}:f-versions:2", "get_function",
                     FunctionName="f-versions", Qualifier="2")
        self.refused("InvalidParameterValueException", 400, "$LATEST", "delete_function",
                     FunctionName="f-versions", Qualifier="$LATEST")
        self.refused("InvalidParameterValueException", 400, "qualifier", "get_function",
                     FunctionName="f-versions:1", Qualifier="3")

    def test_aliases_lead_to_versions_with_weights(self):
        create("f-alias", guest("echo"), Publish=True)
        functions.update_function_code(FunctionName="f-alias", ZipFile=guest("hostile"), Publish=True)
        made = functions.create_alias(FunctionName="f-alias", Name="live", FunctionVersion="1", Description="prod")
        expected = {"AliasArn": f"{ARN}:f-alias:live", "Name": "live", "FunctionVersion": "1", "Description": "prod"}
        self.assertEqual({name: made[name] for name in expected}, expected)
        self.refused("ResourceConflictException", 409, "Alias already exists", "create_alias",
                     FunctionName="f-alias", Name="live", FunctionVersion="1")
        for name, version in [("other", "9"), ("other", "$LATEST9")]:
            with self.assertRaises(ClientError):
                functions.create_alias(FunctionName="f-alias", Name=name, FunctionVersion=version)
        call = {"do": "echo", "value": 7}
        answer, payload = invoke("f-alias", call, Qualifier="live")
        self.assertEqual((answer["ExecutedVersion"], json.loads(payload)), ("1", call))

        routed = functions.update_alias(
            FunctionName="f-alias", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}},
            RevisionId=made["RevisionId"])
        self.assertEqual(routed["RoutingConfig"], {"AdditionalVersionWeights": {"2": 1.0}})
        self.assertEqual((routed["FunctionVersion"], routed["Description"]), ("1", "prod"))
        self.assertEqual(invoke("f-alias:live", call)[0]["ExecutedVersion"], "2")
        self.refused("PreconditionFailedException", 412, "Revision Id", "update_alias",
                     FunctionName="f-alias", Name="live", FunctionVersion="2", RevisionId=made["RevisionId"])
        self.refused("InvalidParameterValueException", 400, "already included", "update_alias",
                     FunctionName="f-alias", Name="live", FunctionVersion="2")
        moved = functions.update_alias(
            FunctionName="f-alias", Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}})
        self.assertNotIn("RoutingConfig", moved)
        self.assertEqual(invoke(f"{ARN}:f-alias:live", call)[0]["ExecutedVersion"], "2")
        self.refused("ResourceConflictException", 409, "live", "delete_function",
                     FunctionName="f-alias", Qualifier="2")
        functions.create_alias(FunctionName="f-alias", Name="dev", FunctionVersion="$LATEST")
        self.assertEqual(invoke("f-alias", call, Qualifier="dev")[0]["ExecutedVersion"], "$LATEST")
        aliases = [one["Name"] for page in functions.get_paginator("list_aliases").paginate(
            FunctionName="f-alias", PaginationConfig={"PageSize": 1}) for one in page["Aliases"]]
        self.assertEqual(aliases, ["dev", "live"])
        listed = functions.list_aliases(FunctionName="f-alias", FunctionVersion="2")["Aliases"]
        self.assertEqual([one["Name"] for one in listed], ["live"])
        self.assertEqual(functions.get_function(FunctionName="f-alias", Qualifier="live")["Configuration"]["Version"], "2")

        functions.delete_alias(FunctionName="f-alias", Name="live")
        functions.delete_alias(FunctionName="f-alias", Name="live")
        self.refused("ResourceNotFoundException", 404, f"{ARN}:f-alias:live", "get_alias",
                     FunctionName="f-alias", Name="live")
        self.refused("ResourceNotFoundException", 404, "f-alias:live", "invoke",
                     FunctionName="f-alias", Qualifier="live")


class Invocations(Lambda):
    @classmethod
    def setUpClass(cls):
        create("f-invoke", guest("hostile"), Publish=True)

    def test_a_function_answers_with_its_log(self):
        answer, payload = invoke("f-invoke", {"do": "log", "lines": 2, "text": "hello"}, LogType="Tail")
        self.assertEqual((answer["StatusCode"], answer["ExecutedVersion"]), (200, "$LATEST"))
        self.assertNotIn("FunctionError", answer)
        log = base64.b64decode(answer["LogResult"]).decode()
        self.assertEqual(log.count("hello"), 2)
        self.assertIn(f"START RequestId: {answer['ResponseMetadata']['RequestId']}", log)
        self.assertNotIn("LogResult", invoke("f-invoke", {"do": "count"})[0])

    def test_a_function_that_fails_answers_with_its_error(self):
        answer, payload = invoke("f-invoke", {"do": "fail", "error": "NoPrice", "cause": "none today"})
        self.assertEqual((answer["StatusCode"], answer["FunctionError"]), (200, "Unhandled"))
        error = json.loads(payload)
        self.assertEqual((error["errorType"], error["errorMessage"]), ("NoPrice", "none today"))
        answer, payload = invoke("f-invoke", {"do": "panic", "message": "oh"})
        self.assertEqual((answer["FunctionError"], json.loads(payload)["errorType"]), ("Unhandled", "Runtime.Trap"))
        answer, payload = invoke("f-invoke", {"do": "big-output", "bytes": 7 << 20})
        self.assertEqual(json.loads(payload)["errorType"], "Function.ResponseSizeTooLarge")
        answer, payload = invoke("f-invoke", {"do": "big-output", "bytes": 200_000})
        self.assertEqual((answer.get("FunctionError"), len(payload) >= 200_000), (None, True))

    def test_events_and_dry_runs_are_not_waited_for(self):
        answer, payload = invoke("f-invoke", {"do": "sleep", "milliseconds": 600_000}, InvocationType="Event")
        self.assertEqual((answer["StatusCode"], payload), (202, b""))
        answer, payload = invoke("f-invoke", InvocationType="DryRun")
        self.assertEqual((answer["StatusCode"], payload), (204, b""))
        self.refused("ResourceNotFoundException", 404, "nobody", "invoke",
                     FunctionName="nobody", InvocationType="DryRun")

    def test_payloads_are_held_to_lambdas_rules(self):
        self.refused("InvalidRequestContentException", 400, "Could not parse", "invoke",
                     FunctionName="f-invoke", Payload="{")
        self.refused("RequestTooLargeException", 413, "6291456", "invoke",
                     FunctionName="f-invoke", Payload=json.dumps("x" * (6 << 20)))
        self.refused("ValidationException", 400, "invocationType", "invoke",
                     FunctionName="f-invoke", InvocationType="Sometimes")

    def test_a_workflow_calls_the_same_function(self):
        from boto import create as create_machine, ended, start
        from shared import task

        machine = create_machine("f-workflow", task(f"{ARN}:f-invoke:1"))
        done = ended(start(machine, input='{"do": "echo", "value": [1]}'))
        self.assertEqual((done["status"], done.get("output")), ("SUCCEEDED", "[1]"))


class Absent(Lambda):
    def test_what_a_function_has_not_is_told_as_lambda_tells_it(self):
        create("f-absent", guest("echo"), Publish=True)
        named = {"FunctionName": "f-absent"}
        for operation in ["get_policy", "get_function_url_config", "get_function_event_invoke_config"]:
            self.refused("ResourceNotFoundException", 404, "", operation, **named)
        self.refused("ProvisionedConcurrencyConfigNotFoundException", 404, "", "get_provisioned_concurrency_config",
                     Qualifier="1", **named)
        self.assertNotIn("ReservedConcurrentExecutions", functions.get_function_concurrency(**named))
        functions.delete_function_concurrency(**named)
        self.assertEqual(functions.list_event_source_mappings(**named)["EventSourceMappings"], [])
        self.assertEqual(functions.list_function_url_configs(**named)["FunctionUrlConfigs"], [])
        self.assertEqual(functions.get_runtime_management_config(**named)["UpdateRuntimeOn"], "Auto")
        for operation, members, message in [
            ("put_function_concurrency", {"ReservedConcurrentExecutions": 5}, "[limits]"),
            ("add_permission", {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"}, "access key"),
            ("create_function_url_config", {"AuthType": "NONE"}, "Invoke"),
            ("put_function_event_invoke_config", {"MaximumRetryAttempts": 0}, "state machine"),
        ]:
            self.refused("InvalidParameterValueException", 400, message, operation, **named, **members)
        self.refused("ResourceNotFoundException", 404, "nobody", "get_policy", FunctionName="nobody")


class Terraform(Lambda):
    """What Terraform's provider calls for `aws_lambda_function` and `aws_lambda_alias`, in its order."""

    def read(self, name):
        shown = functions.get_function(FunctionName=name)
        configuration = shown["Configuration"]
        names = ["FunctionArn", "Runtime", "Role", "Handler", "Timeout", "MemorySize", "CodeSha256", "Description",
                 "Architectures", "PackageType", "EphemeralStorage", "TracingConfig", "LoggingConfig"]
        signing = functions.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"]
        versions = functions.list_versions_by_function(FunctionName=name, MaxItems=10_000)["Versions"]
        return {one: configuration[one] for one in names} | {
            "signing": signing, "tags": shown.get("Tags"), "version": versions[-1]["Version"]}

    def test_apply_plan_and_apply(self):
        code = packed(guest("echo"))
        create("f-tf", code, Timeout=3, MemorySize=128, Publish=True, Architectures=["x86_64"], PackageType="Zip",
               EphemeralStorage={"Size": 512}, TracingConfig={"Mode": "PassThrough"}, Tags={"env": "dev"})
        functions.get_waiter("function_active_v2").wait(FunctionName="f-tf")
        first = self.read("f-tf")
        self.assertEqual((first["CodeSha256"], first["version"], first["Timeout"]), (sha256(code), "1", 3))
        self.assertEqual(self.read("f-tf"), first)
        functions.untag_resource(Resource=first["FunctionArn"], TagKeys=["env"])
        functions.tag_resource(Resource=first["FunctionArn"], Tags={"Name": "f"})
        self.assertEqual(self.read("f-tf"), first | {"tags": {"Name": "f"}})
        functions.create_alias(FunctionName="f-tf", Name="live", FunctionVersion=first["version"])

        second = packed(guest("hostile"))
        functions.update_function_configuration(FunctionName="f-tf", Timeout=10, MemorySize=256)
        functions.get_waiter("function_updated_v2").wait(FunctionName="f-tf")
        functions.update_function_code(FunctionName="f-tf", ZipFile=second, Publish=False)
        functions.get_waiter("function_updated_v2").wait(FunctionName="f-tf")
        published = wait_for("the version", lambda: functions.publish_version(FunctionName="f-tf")["Version"])
        functions.update_alias(FunctionName="f-tf", Name="live", FunctionVersion=published)
        changed = self.read("f-tf")
        self.assertEqual((changed["CodeSha256"], changed["version"], changed["MemorySize"]), (sha256(second), "2", 256))
        functions.delete_alias(FunctionName="f-tf", Name="live")
        functions.delete_function(FunctionName="f-tf")
        self.refused("ResourceNotFoundException", 404, "f-tf", "get_function", FunctionName="f-tf")


if __name__ == "__main__":
    unittest.main()
