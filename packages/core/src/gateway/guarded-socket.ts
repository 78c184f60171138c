/**
 * WebSockets whose listeners cannot end the process: an exception closes that socket with 1011 and is reported. Used by the
 * gateway host only, which loads ws when it starts.
 */
import type { WebSocket } from "ws";

/** Source: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const INTERNAL_ERROR = 1_011;

/** Returns a WebSocket class that calls `onFault` with the exception of a listener. */
export function guardSockets(Base: typeof WebSocket, onFault: (error: unknown) => void): typeof WebSocket {
  return class GuardedSocket extends Base {
    override emit(event: string | symbol, ...details: readonly unknown[]): boolean {
      try {
        return super.emit(event, ...details);
      } catch (error) {
        onFault(error);
        this.close(INTERNAL_ERROR, "the message handler failed");
        return true;
      }
    }
  };
}
