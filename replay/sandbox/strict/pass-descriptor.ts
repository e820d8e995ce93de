import { addressOf, stableBytes, systemCall } from "./native-calls.ts";

// Of <sys/socket.h>: one control message with one file descriptor, aligned as CMSG_SPACE says.
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const CONTROL_HEADER_BYTES = 16;
const CONTROL_BYTES = 24;
const MSG_CMSG_CLOEXEC = 0x40000000;

// `struct msghdr` with a payload of one byte and room for one control message.
const payload = stableBytes(8);
const vector = stableBytes(16);
const control = stableBytes(CONTROL_BYTES);
const header = stableBytes(56);
vector.writeBigUInt64LE(addressOf(payload), 0);
vector.writeBigUInt64LE(1n, 8);
header.writeBigUInt64LE(addressOf(vector), 16);
header.writeBigUInt64LE(1n, 24);
header.writeBigUInt64LE(addressOf(control), 32);
header.writeBigUInt64LE(BigInt(CONTROL_BYTES), 40);

/** Sends a file descriptor over a unix socket. */
export function sendDescriptor(socket: number, descriptor: number): void {
  control.writeBigUInt64LE(BigInt(CONTROL_HEADER_BYTES + 4), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  control.writeInt32LE(descriptor, 16);
  systemCall("sendmsg", socket, header, 0);
}

/** Waits for a file descriptor; `undefined` when the other side closed without sending one. */
export function receiveDescriptor(socket: number): number | undefined {
  const received = systemCall("recvmsg", socket, header, MSG_CMSG_CLOEXEC);
  const isOne = received > 0 && control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_RIGHTS;
  return isOne ? control.readInt32LE(16) : undefined;
}
