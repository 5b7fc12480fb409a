import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from subprocess import check_output
from urllib.request import urlopen

import aiohttp
import boto3
import httpx
import requests
from boto3 import client as make_client
from requests import get as fetch

from flowstrand import WorkflowContext, workflow

S3 = boto3.client("s3")
SESSION = requests.Session()
HTTP = httpx.AsyncClient()


@workflow
async def touches_files(ctx: WorkflowContext, path: Path, name: str) -> None:
    with open("x") as opened:  # expect: FS301
        opened.read()
    path.read_text()  # expect: FS301
    Path("x").write_text("y")  # expect: FS301
    (Path("x") / name).unlink()  # expect: FS301
    folder = pathlib.Path(name)
    folder.mkdir()  # expect: FS301
    os.remove("x")  # expect: FS301
    os.path.exists("x")  # expect: FS301
    shutil.copy("x", "y")  # expect: FS301
    tempfile.mkdtemp()  # expect: FS301


@workflow
async def talks(ctx: WorkflowContext, url: str, client: httpx.AsyncClient) -> None:
    requests.get(url)  # expect: FS302
    fetch(url)  # expect: FS302
    SESSION.post(url)  # expect: FS302
    httpx.post(url)  # expect: FS302
    urllib.request.urlopen(url)  # expect: FS302
    urlopen(url)  # expect: FS302
    S3.put_object(Bucket="b", Key="k")  # expect: FS302
    table = boto3.resource("dynamodb").Table("t")  # expect: FS302
    table.put_item(Item={})  # expect: FS302
    make_client("sqs")  # expect: FS302
    socket.create_connection(("localhost", 80))  # expect: FS302
    await HTTP.get(url)  # expect: FS203
    await client.get(url)  # expect: FS203
    async with aiohttp.ClientSession() as session:  # expect: FS203
        async with session.get(url) as response:  # expect: FS203
            await response.text()  # expect: FS203
    async with httpx.AsyncClient(timeout=httpx.Timeout(5)) as another:  # expect: FS203
        (await another.get(url)).raise_for_status()  # expect: FS203, FS302


@workflow
async def runs_programs(ctx: WorkflowContext) -> None:
    subprocess.run(["ls"], check=True)  # expect: FS303
    check_output(["ls"])  # expect: FS303
    os.system("ls")  # expect: FS303
    with subprocess.Popen(["ls"]) as process:  # expect: FS303
        process.wait()  # expect: FS303
