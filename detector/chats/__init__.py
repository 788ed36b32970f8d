"""Exports of chats: where a message begins and ends in them, who wrote it, where and when.

What stands in a message's object around a finding is its origin. It is read for survivors only,
when the message has ended.
"""
