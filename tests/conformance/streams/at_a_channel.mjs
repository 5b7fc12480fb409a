// The suite keeps its streams at /v1/stream/NAME and sends no credential. Here they are channels of an org, and every request
// has a key. So the one `fetch` that the suite and its client use has each URL changed on the way out, the `Location` of what
// was made on the way back, and an `Authorization` header added; nothing else of a request or an answer is touched.

const server = process.env.FLOWSTRAND_URL
const key = process.env.FLOWSTRAND_API_KEY
const plain = `${server}/v1/stream/`
const channels = `${server}/v1/stream/orgs/${process.env.FLOWSTRAND_ORG ?? "dev"}/channels/`
const send = globalThis.fetch

globalThis.fetch = async (input, init) => {
  const request = new Request(moved(input), init)
  request.headers.set("authorization", `Bearer ${key}`)
  return returned(await send(request))
}

function moved(input) {
  const url = String(input instanceof Request ? input.url : input)
  const there = url.startsWith(plain) ? channels + url.slice(plain.length) : url
  return input instanceof Request ? new Request(there, input) : there
}

function returned(response) {
  const location = response.headers.get("location")
  if (!location?.startsWith(channels)) return response
  const headers = new Headers(response.headers)
  headers.set("location", plain + location.slice(channels.length))
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
}
