<?php
// SPDX-License-Identifier: MIT
// Creates a task, then reads all tasks, page by page: php pages.php URL USERNAME TOKEN-FILE

[, $base, $username, $tokenFile] = $argv;
$access = 'Basic ' . base64_encode($username . '/token:' . trim(file_get_contents($tokenFile)));

/** Sends a request; returns the decoded body and the headers of the answer, by their names in lower case. */
function call(string $method, string $url, ?array $value = null): array
{
    global $access;
    $context = stream_context_create(['http' => [
        'method' => $method,
        'header' => ["Authorization: $access", 'Content-Type: application/json'],
        'content' => $value === null ? '' : json_encode($value),
        'ignore_errors' => true, // read the body of an error as well: it says what is wrong
        'follow_location' => 0,
    ]]);
    $stream = fopen($url, 'r', false, $context);
    if (!$stream) {
        exit(1);
    }
    $lines = stream_get_meta_data($stream)['wrapper_data'];
    $body = json_decode(stream_get_contents($stream), true);
    if (!preg_match('/^HTTP\S* 2/', array_shift($lines))) {
        fwrite(STDERR, $body['detail'] . "\n");
        exit(1);
    }
    $headers = [];
    foreach ($lines as $line) {
        [$name, $text] = explode(':', $line, 2);
        $headers[strtolower($name)] = trim($text);
    }
    return [$body, $headers];
}

/** Location and Link are paths: resolves one against the URL of the request. */
function resolve(string $link, string $url): string
{
    return $link[0] === '/' ? preg_replace('#^(\w+://[^/]+).*#', '$1', $url) . $link : $link;
}

$url = $base . '/api/v1/tasks';
[, $headers] = call('POST', $url, ['task' => [
    'casefile_id' => 245, 'calendar_id' => 1, 'due_on' => '2027-02-14', 'title' => 'From PHP',
]]);
echo 'created ', resolve($headers['location'], $url), "\n";

$tasks = $pages = 0;
$url .= '?per_page=50';
while ($url) {
    [$page, $headers] = call('GET', $url);
    $tasks += count($page);
    $pages++;
    $next = preg_match('/<([^>]*)>; rel="next"/', $headers['link'], $found);
    $url = $next ? resolve($found[1], $url) : null;
}
echo "$tasks tasks on $pages pages\n";
