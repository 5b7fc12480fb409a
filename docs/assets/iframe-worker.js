// Browsers run no workers on pages that are files. There, the worker that searches runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #frame = document.createElement("iframe");
    #waiting = [];
    onmessage = null;

    constructor(url) {
      super();
      const script = document.createElement("script");
      script.src = new URL(url, location.href).href;
      this.#frame.hidden = true;
      this.#frame.srcdoc =
        "<script>postMessage = (data) => frameElement.dispatchEvent(new CustomEvent('answer', { detail: data }))</script>" +
        script.outerHTML;
      this.#frame.addEventListener("answer", ({ detail }) => this.#hear(new MessageEvent("message", { data: detail })));
      this.#frame.addEventListener("load", () => this.#begin(), { once: true });
      document.body.append(this.#frame);
    }

    postMessage(data) {
      if (this.#waiting) this.#waiting.push(data);
      else this.#tell(data);
    }

    terminate() {
      this.#frame.remove();
    }

    #begin() {
      const waiting = this.#waiting;
      this.#waiting = null;
      for (const data of waiting) this.#tell(data);
    }

    // Later, as between threads: whoever posts a message is not in the middle of something when it is answered.
    #tell(data) {
      setTimeout(() => this.#frame.contentWindow?.dispatchEvent(new MessageEvent("message", { data })));
    }

    #hear(event) {
      this.onmessage?.(event);
      this.dispatchEvent(event);
    }
  };
}
