"""Connections of EventBridge through boto3."""

import unittest

import boto3
import botocore.config
import botocore.exceptions

from shared import ENDPOINT

events = boto3.client("events", endpoint_url=ENDPOINT, config=botocore.config.Config(retries={"total_max_attempts": 1}))


def pair(key, value, secret=False):
    return {"Key": key, "Value": value, "IsValueSecret": secret}


class Connections(unittest.TestCase):
    maxDiff = None

    def refused(self, code, message, operation, **members):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            getattr(events, operation)(**members)
        error = caught.exception.response["Error"]
        self.assertEqual((error["Code"], error["Message"]), (code, message))

    def test_a_connection_comes_changes_and_goes(self):
        made = events.create_connection(
            Name="shop", Description="of tests", AuthorizationType="OAUTH_CLIENT_CREDENTIALS",
            AuthParameters={
                "OAuthParameters": {
                    "ClientParameters": {"ClientID": "id", "ClientSecret": "s3cret"},
                    "AuthorizationEndpoint": "https://id.example.com/token", "HttpMethod": "POST",
                    "OAuthHttpParameters": {"BodyParameters": [pair("scope", "read"), pair("pin", "1", True)]},
                },
                "InvocationHttpParameters": {"HeaderParameters": [pair("X-Tenant", "t1")]},
            },
        )
        self.assertEqual(made["ConnectionState"], "AUTHORIZED")
        self.assertRegex(made["ConnectionArn"], r"^arn:aws:events:us-east-1:123456789012:connection/shop/[0-9a-f-]{36}$")
        shown = events.describe_connection(Name="shop")
        self.assertEqual(shown["AuthParameters"], {
            "OAuthParameters": {
                "ClientParameters": {"ClientID": "id"},
                "AuthorizationEndpoint": "https://id.example.com/token", "HttpMethod": "POST",
                "OAuthHttpParameters": {
                    "BodyParameters": [pair("scope", "read"), {"Key": "pin", "IsValueSecret": True}],
                },
            },
            "InvocationHttpParameters": {"HeaderParameters": [pair("X-Tenant", "t1")]},
        })
        # What Terraform reads back.
        for member in ("Name", "Description", "ConnectionArn", "SecretArn", "AuthorizationType", "CreationTime"):
            self.assertIn(member, shown)
        events.update_connection(
            Name="shop", AuthorizationType="API_KEY",
            AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "k"}},
        )
        shown = events.describe_connection(Name="shop")
        self.assertEqual((shown["AuthorizationType"], shown["Description"]), ("API_KEY", "of tests"))
        self.assertEqual(shown["AuthParameters"]["ApiKeyAuthParameters"], {"ApiKeyName": "X-Key"})
        listed = events.list_connections(NamePrefix="sho")["Connections"]
        self.assertEqual([connection["Name"] for connection in listed], ["shop"])
        self.assertEqual(events.delete_connection(Name="shop")["ConnectionState"], "DELETING")
        self.refused(
            "ResourceNotFoundException", "Connection 'shop' does not exist.", "describe_connection", Name="shop",
        )

    def test_the_typed_exceptions_of_the_sdk_are_raised(self):
        basic = {"BasicAuthParameters": {"Username": "a", "Password": "b"}}
        events.create_connection(Name="twice", AuthorizationType="BASIC", AuthParameters=basic)
        with self.assertRaises(events.exceptions.ResourceAlreadyExistsException):
            events.create_connection(Name="twice", AuthorizationType="BASIC", AuthParameters=basic)
        with self.assertRaises(events.exceptions.ResourceNotFoundException):
            events.update_connection(Name="nobody")
        self.refused(
            "ValidationException",
            "Parameter(s) of AuthParameters must be specified for this AuthorizationType.",
            "create_connection", Name="other", AuthorizationType="API_KEY", AuthParameters=basic,
        )
        events.delete_connection(Name="twice")
