"""Tests against a gateway in test mode: the standard library of Python, and requests."""

import base64, hashlib, hmac, json, os, subprocess, tempfile, time, unittest, uuid
from urllib.parse import quote

import requests

# The command of the gateway: `npx ota-gateway` after `npm install ota-upload-gateway`.
GATEWAY = os.environ.get('OTA_GATEWAY', 'npx ota-gateway').split()


class OtaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        ready = os.path.join(cls.folder.name, 'ready.json')
        data = os.path.join(cls.folder.name, 'data')
        flags = ['serve', '--test-mode', '--port', '0', '--data-dir', data, '--ready-file', ready]
        cls.process = subprocess.Popen(GATEWAY + flags, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not os.path.exists(ready):
            if cls.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError('the gateway did not start')
            time.sleep(0.02)
        with open(ready) as file:
            cls.ready = json.load(file)

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.wait()
        cls.folder.cleanup()

    def setUp(self):
        self.control('POST', '/reset')

    def control(self, method, path, body=None):
        response = requests.request(method, self.ready['testControls'] + path, json=body)
        response.raise_for_status()
        return response.json()

    def call(self, action, **parameters):
        """Calls the IoT API with signature version 1."""
        query = {'AccessKeyId': self.ready['accessKeyId'], 'Action': action, 'Format': 'JSON',
                 'SignatureMethod': 'HMAC-SHA1', 'SignatureNonce': str(uuid.uuid4()), 'SignatureVersion': '1.0',
                 'Timestamp': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()), 'Version': '2018-01-20', **parameters}
        text = '&'.join(f"{quote(name, '~')}={quote(query[name], '~')}" for name in sorted(query))
        key = (self.ready['accessKeySecret'] + '&').encode()
        digest = hmac.new(key, f"GET&%2F&{quote(text, '~')}".encode(), hashlib.sha1).digest()
        signature = quote(base64.b64encode(digest), '~')
        return requests.get(f"{self.ready['url']}/?{text}&Signature={signature}").json()

    def upload(self):
        """Gets a grant and posts a file with it."""
        grant = self.call('GenerateOTAUploadURL', FileSuffix='bin')['Data']
        form = {'key': grant['Key'], 'policy': grant['Policy'], 'OSSAccessKeyId': grant['OSSAccessKeyId'],
                'signature': grant['Signature'], 'success_action_status': '200'}
        return grant, requests.post(grant['Host'], data=form, files={'file': ('fw.bin', b'firmware')}).status_code

    def test_claimed_firmware_can_be_downloaded_and_stays(self):
        grant, status = self.upload()
        self.assertEqual(status, 200)
        created = self.call('CreateOTAFirmware', FirmwareName='lamp', DestVersion='1.0.0', FirmwareUrl=grant['FirmwareUrl'])
        firmware = self.call('QueryOTAFirmware', FirmwareId=created['Data']['FirmwareId'])['FirmwareInfo']
        self.assertEqual(requests.get(firmware['FirmwareUrl']).content, b'firmware')
        self.control('POST', '/clock/advance', {'hours': 1})
        self.assertEqual(self.control('POST', '/purge')['purged'], 0)

    def test_unclaimed_upload_is_purged_after_an_hour(self):
        grant, _status = self.upload()
        self.control('POST', '/clock/advance', {'hours': 1})
        self.assertEqual(self.control('POST', '/purge')['purged'], 1)
        purged = self.control('GET', f"/uploads/{quote(grant['Key'], '')}?wait=purged&timeout=5")
        self.assertEqual(purged['purgeReason'], 'unclaimed')

    def test_injected_fault_fails_one_upload(self):
        self.control('POST', '/faults', {'operation': 'PostObject', 'code': 'InternalError'})
        self.assertEqual([self.upload()[1], self.upload()[1]], [500, 200])
