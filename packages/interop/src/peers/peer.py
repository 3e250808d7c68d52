# Python's `websockets` as a client and as a server, told what to do in lines of JSON on the standard input:
#   {"number": 1, "do": "run", "plan": {...}}                             -> {"answers": 1, "result": outcome}
#   {"number": 2, "do": "listen", "secure": false, "deflate": true, ...}  -> {"answers": 2, "result": port}
#   {"number": 3, "do": "stop", "port": 12345}                            -> {"answers": 3, "result": null}
# A connection of a server that is over is a line of its own: {"ended": id, "report": {...}}.
# Arguments: the files of the authority, of the server's certificate and of its key.

import asyncio
import json
import re
import ssl
import sys
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Close
from websockets.legacy.client import connect
from websockets.legacy.server import serve

CA, CERTIFICATE, KEY = sys.argv[1:]
# How long a peer that is to end TCP may take, in seconds.
CLOSE_TIMEOUT = 5
servers = {}


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def snake(name):
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def options_of(factory, deflate, limit):
    options = {"max_size": limit, "ping_interval": None, "close_timeout": CLOSE_TIMEOUT}
    if isinstance(deflate, dict):
        parameters = {snake(name): value for name, value in deflate.items()}
        return {**options, "compression": None, "extensions": [factory(**parameters)]}
    return {**options, "compression": "deflate" if deflate else None}


def extensions_of(socket):
    return ", ".join(extension.name for extension in socket.extensions)


def ending_of(socket):
    return {
        "protocol": socket.subprotocol or "",
        "extensions": extensions_of(socket),
        "code": socket.close_code,
        "reason": socket.close_reason or "",
    }


def make_payload(payload):
    if payload["type"] == "text":
        return payload["unit"] * payload["times"]
    return bytes((index * 31 + (index >> 8)) & 255 for index in range(payload["length"]))


def show(message):
    if isinstance(message, str):
        return f"text of {len(message)}: {json.dumps(message[:20])}"
    return f"binary of {len(message)} bytes"


def compare(expected, received):
    if expected != received:
        raise ValueError(f"expected {show(expected)}, got {show(received)}")


async def wait_ended(socket):
    await asyncio.wait([socket.transfer_data_task])
    # Once it has failed a connection the library reads no more, and so does not see the end of TCP that it waits for.
    if not socket.transport.is_closing():
        socket.transport.resume_reading()
    await socket.wait_closed()


async def fragments(socket, parts):
    for index, part in enumerate(parts):
        yield part
        if index == 0:
            await socket.ping()


async def ping(socket, data):
    await (await socket.ping(data))


# --- Client


async def take(step, socket):
    kind = step["do"]
    if kind == "send":
        await socket.send(make_payload(step["payload"]))
    elif kind == "receive":
        compare(make_payload(step["payload"]), await socket.recv())
    elif kind == "sendNumbers":
        for number in range(step["count"]):
            await socket.send(str(number))
    elif kind == "receiveNumbers":
        for number in range(step["count"]):
            compare(str(number), await socket.recv())
    elif kind == "sendFragments":
        await socket.send(fragments(socket, step["parts"]))
    elif kind == "ping":
        await ping(socket, step["data"])
    elif kind == "close":
        await close(socket, step)
    elif kind == "abort":
        socket.transport.abort()


async def close(socket, step):
    if "code" in step:
        await socket.close(step["code"], step.get("reason", ""))
    else:
        # `close` has no way to say nothing.
        await socket.write_close_frame(Close(1005, ""), b"")


async def run(plan, limit):
    options = options_of(ClientPerMessageDeflateFactory, plan["deflate"], limit)
    if plan["url"].startswith("wss:"):
        options["ssl"] = ssl.create_default_context(cafile=CA)
    socket = await connect(plan["url"], subprotocols=plan["protocols"] or None, **options)
    outcome = {}
    try:
        for step in plan["steps"]:
            await take(step, socket)
    except (ConnectionClosed, ValueError) as error:
        outcome["fault"] = str(error)
        await socket.close()
    await wait_ended(socket)
    was_clean = socket.close_rcvd is not None and socket.close_sent is not None
    return {**ending_of(socket), "wasClean": was_clean, **outcome}


# --- Server


async def answer(path, socket, data, limit):
    if path == "/echo":
        await socket.send(data)
    elif path == "/close":
        await socket.send(data)
        await socket.close(int(data[:4]), data[5:])
    elif path == "/abort":
        socket.transport.abort()
    elif path == "/ping":
        await ping(socket, data)
        await socket.send(data)
    elif path == "/fragments":
        await socket.send(fragments(socket, re.findall(r"\S+\s*", data)))
    elif path == "/big":
        await socket.send(make_payload({"type": "binary", "length": limit + 1}))


async def listen(secure, deflate, limit, protocols):
    async def handle(socket):
        target = urlsplit(socket.path)
        try:
            async for data in socket:
                await answer(target.path, socket, data, limit)
        except ConnectionClosed:
            pass
        await wait_ended(socket)
        say({"ended": parse_qs(target.query)["id"][0], "report": ending_of(socket)})

    options = options_of(ServerPerMessageDeflateFactory, deflate, limit)
    if secure:
        options["ssl"] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        options["ssl"].load_cert_chain(CERTIFICATE, KEY)
    server = await serve(handle, "127.0.0.1", 0, subprotocols=protocols, **options)
    port = server.sockets[0].getsockname()[1]
    servers[port] = server
    return port


async def stop(port):
    server = servers.pop(port)
    server.close()
    await server.wait_closed()


# --- The lines


ACTIONS = {"run": run, "listen": listen, "stop": stop}


async def obey(number, do, **parameters):
    try:
        say({"answers": number, "result": await ACTIONS[do](**parameters)})
    except Exception as error:
        say({"answers": number, "error": f"{type(error).__name__}: {error}"})


async def main():
    lines = asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    tasks = set()
    while line := await lines.readline():
        task = asyncio.create_task(obey(**json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
