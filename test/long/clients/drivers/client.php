<?php
// Drives PHP's curl or Guzzle through a list of jobs, see jobs.ts: client.php CLIENT JOBS.

/** A file whose length nobody can know beforehand, like the output of another program: piped://PATH. */
final class Piped
{
    public $context;
    private $file;

    public function stream_open(string $url): bool
    {
        $this->file = fopen(substr($url, strlen('piped://')), 'rb');
        return $this->file !== false;
    }

    public function stream_read(int $count): string
    {
        return fread($this->file, $count);
    }

    public function stream_stat(): false
    {
        return false;
    }

    public function stream_eof(): bool
    {
        return feof($this->file);
    }
}
stream_wrapper_register('piped', 'Piped');

function rangeOf(array $job): array
{
    return $job['from'] > 0 ? ['Range' => "bytes={$job['from']}-"] : [];
}

function withCurl(): callable
{
    return function (array $job): array {
        $curl = curl_init($job['url']);
        if ($job['act'] === 'post') {
            $path = $job['how'] === 'stream' ? "piped://{$job['path']}" : $job['path'];
            $file = $job['how'] === 'noname'
                ? file_get_contents($path)
                : new CURLFile($path, null, $job['filename']);
            curl_setopt($curl, CURLOPT_POSTFIELDS, array_column($job['fields'], 1, 0) + ['file' => $file]);
            curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
        } else {
            $out = fopen($job['out'], 'ab');
            curl_setopt($curl, CURLOPT_FILE, $out);
            curl_setopt($curl, CURLOPT_RESUME_FROM, $job['from']);
        }
        $body = curl_exec($curl);
        if ($body === false) {
            throw new RuntimeException(curl_error($curl));
        }
        return ['status' => curl_getinfo($curl, CURLINFO_RESPONSE_CODE), 'body' => is_string($body) ? $body : ''];
    };
}

function withGuzzle(): callable
{
    require_once 'GuzzleHttp/autoload.php';
    $client = new GuzzleHttp\Client();

    $file = function (array $job): array {
        if ($job['how'] === 'noname') {
            return ['contents' => file_get_contents($job['path'])];
        }
        $contents = fopen($job['path'], 'rb');
        if ($job['how'] === 'stream') {
            $contents = new GuzzleHttp\Psr7\PumpStream(
                fn (int $count) => feof($contents) ? false : fread($contents, $count)
            );
        }
        return ['contents' => $contents, 'filename' => $job['filename']];
    };
    $field = fn (array $pair): array => ['name' => $pair[0], 'contents' => $pair[1]];

    return function (array $job) use ($client, $file, $field): array {
        try {
            if ($job['act'] === 'get') {
                $out = fopen($job['out'], 'ab');
                $response = $client->get($job['url'], ['headers' => rangeOf($job), 'sink' => $out]);
                return ['status' => $response->getStatusCode(), 'body' => ''];
            }
            $parts = array_map($field, $job['fields']);
            $parts[] = ['name' => 'file'] + $file($job);
            $response = $client->post($job['url'], ['multipart' => $parts]);
        } catch (GuzzleHttp\Exception\BadResponseException $refused) {
            $response = $refused->getResponse();
        }
        return ['status' => $response->getStatusCode(), 'body' => (string) $response->getBody()];
    };
}

[, $client, $jobs] = $argv;
$run = ['curl' => 'withCurl', 'guzzle' => 'withGuzzle'][$client]();
$results = [];
foreach (json_decode(file_get_contents($jobs), true) as $job) {
    try {
        $results[] = $run($job);
    } catch (Throwable $error) {
        $results[] = ['error' => get_class($error) . ': ' . $error->getMessage()];
    }
}
echo json_encode($results, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE);
