"""Drives requests, httpx or aiohttp through a list of jobs, see jobs.ts: client.py CLIENT JOBS."""

import asyncio
import io
import json
import sys


class Pipe(io.RawIOBase):
    """A file whose length nobody can know beforehand, like the output of another program."""

    def __init__(self, path):
        self.file = open(path, "rb")

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.file.readinto(buffer)


def opened(job):
    return io.BufferedReader(Pipe(job["path"])) if job["how"] == "stream" else open(job["path"], "rb")


def text_of(job):
    with open(job["path"], encoding="utf-8") as file:
        return file.read()


def range_of(job):
    return {"Range": f"bytes={job['from']}-"} if job["from"] > 0 else {}


def files_of(job):
    name = None if job["how"] == "noname" else job["filename"]
    return {"file": (name, text_of(job) if name is None else opened(job))}


def with_requests():
    import requests

    def post(job):
        return requests.post(job["url"], data=dict(job["fields"]), files=files_of(job))

    def get(job):
        with requests.get(job["url"], headers=range_of(job), stream=True) as response:
            with open(job["out"], "ab") as out:
                for chunk in response.iter_content(65536):
                    out.write(chunk)
            return response

    def run(job):
        if job["act"] == "get":
            return get(job).status_code, ""
        response = post(job)
        return response.status_code, response.text

    return run


def with_httpx():
    import httpx

    def run(job):
        if job["act"] == "post":
            # A text without a name must come as bytes.
            files = {name: (file, body.encode() if isinstance(body, str) else body) for name, (file, body) in files_of(job).items()}
            response = httpx.post(job["url"], data=dict(job["fields"]), files=files, timeout=30)
            return response.status_code, response.text
        with httpx.stream("GET", job["url"], headers=range_of(job)) as response, open(job["out"], "ab") as out:
            for chunk in response.iter_bytes():
                out.write(chunk)
        return response.status_code, ""

    return run


def with_aiohttp(quote_fields):
    import aiohttp

    async def chunks(path):
        with open(path, "rb") as file:
            while chunk := file.read(65536):
                yield chunk

    def form_of(job):
        form = aiohttp.FormData(quote_fields=quote_fields)
        for name, value in job["fields"]:
            form.add_field(name, value)
        if job["how"] == "noname":
            # Without a type there would be no file, and so no multipart body.
            form.add_field("file", text_of(job), content_type="application/octet-stream")
        else:
            file = chunks(job["path"]) if job["how"] == "stream" else open(job["path"], "rb")
            form.add_field("file", file, filename=job["filename"])
        return form

    async def once(job):
        async with aiohttp.ClientSession() as session:
            if job["act"] == "post":
                async with session.post(job["url"], data=form_of(job)) as response:
                    return response.status, await response.text()
            async with session.get(job["url"], headers=range_of(job)) as response:
                with open(job["out"], "ab") as out:
                    async for chunk in response.content.iter_chunked(65536):
                        out.write(chunk)
                return response.status, ""

    return lambda job: asyncio.run(once(job))


CLIENTS = {
    "requests": with_requests,
    "httpx": with_httpx,
    "aiohttp": lambda: with_aiohttp(True),
    "aiohttp-unquoted": lambda: with_aiohttp(False),
}


def main():
    _, client, jobs = sys.argv
    run = CLIENTS[client]()
    results = []
    with open(jobs, encoding="utf-8") as file:
        for job in json.load(file):
            try:
                status, body = run(job)
                results.append({"status": status, "body": body})
            except Exception as error:
                results.append({"error": f"{type(error).__name__}: {error}"})
    print(json.dumps(results))


main()
