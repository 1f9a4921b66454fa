"""Raw bytes to a server, as no well-behaved client sends them."""

import re
import socket


def connect(port, timeout=30.0):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(timeout)
    return connection


def answer(connection):
    """Read one answer; returns (status, body). (0, …) if the connection ends before."""
    data = b""
    while True:
        head, blank, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if blank and (length is None or len(body) >= int(length[1])):
            return int(head.split(b" ")[1]), body
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            piece = b""
        if not piece:
            return 0, data
        data += piece


def exchange(port, data, timeout=30.0):
    with connect(port, timeout) as connection:
        connection.sendall(data)
        return answer(connection)
